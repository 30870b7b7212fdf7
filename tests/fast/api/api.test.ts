/** The JavaScript API: what each function does, what it refuses, and what it leaves alone. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Disk, DiskError } from '@edged/host/host';
import { linuxHost } from '@edged/host/linux-host';
import { stateRootDirectories } from '@edged/model/layout';
import { type TestDevice, withDevice } from '@edged/testkit/device/device';
import { withDisk } from '@edged/testkit/device/faults';
import {
  type ConfigOptions,
  type DeviceOptions,
  PrecheckError,
  bootstrap,
  captureFingerprint,
  detectOsUpdate,
  exitCodes,
  precheck,
  rotateEpoch,
  runReconstruction,
  verifyManifest,
} from 'edged';

const oldKernel = { kernelRelease: '6.1.0-1' } as const;
/** From the rename to this name on the disk changes nothing any more, as after a cut. */
function goneFrom(name: string): (disk: Disk) => Partial<Disk> {
  let isGone = false;
  return (disk) => {
    const unlessGone =
      <Args extends readonly unknown[], Result>(act: (...args: Args) => Result) =>
      (...args: Args): Result => {
        isGone ||= args.at(1) === name;
        if (isGone) throw new DiskError('change', String(args.at(0)), 'EIO');
        return act(...args);
      };
    return {
      createFile: unlessGone(disk.createFile.bind(disk)),
      createDirectory: unlessGone(disk.createDirectory.bind(disk)),
      rename: unlessGone(disk.rename.bind(disk)),
      link: unlessGone(disk.link.bind(disk)),
      removeFile: unlessGone(disk.removeFile.bind(disk)),
      removeDirectory: unlessGone(disk.removeDirectory.bind(disk)),
      syncDirectory: unlessGone(disk.syncDirectory.bind(disk)),
    };
  };
}

const newKernel = { kernelRelease: '6.1.0-2' } as const;

function on(device: TestDevice, kernel: { readonly kernelRelease: string } = oldKernel) {
  const osRoot = path.join(device.directory, 'os');
  return { stateRoot: device.stateRoot, skipMountCheck: true, osRoot, ...kernel };
}

function withCertificate(device: TestDevice) {
  const [certFile, keyFile] = ['edge.crt', 'edge.key'].map((name) =>
    path.join(device.directory, name),
  ) as [string, string];
  return { certificate: { certFile, keyFile, caFile: certFile } };
}

async function refusal(act: Promise<unknown>): Promise<PrecheckError> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PrecheckError) return error;
  throw new Error('nothing was refused', { cause: error });
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  return (await refusal(act)).code;
}

async function leavesAlone<Result>(
  device: TestDevice,
  act: () => Promise<Result>,
): Promise<Result> {
  const before = device.modificationTimes();
  const result = await act();
  expect(device.modificationTimes()).toEqual(before);
  return result;
}

describe('the example', () => {
  const page = fs.readFileSync('docs/api.md', 'utf8');

  test('is in the documentation word for word, and prints what is said there', () => {
    const file = 'tests/fast/api/example.mjs';
    expect(page).toContain(`\`\`\`js\n${fs.readFileSync(file, 'utf8')}\`\`\``);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(page).toContain(`\`\`\`text\n${stdout}\`\`\``);
  });

  test('the documentation names every function', async () => {
    const functions = Object.entries(await import('edged'))
      .filter(([name, value]) => typeof value === 'function' && name !== 'PrecheckError')
      .map(([name]) => name);
    const named = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(functions));
    expect(named).toHaveLength(7);
  });
});

describe('bootstrap', () => {
  test('makes the seven directories and nothing else', () =>
    withDevice(async (device) => {
      const stateRoot = path.join(device.directory, 'empty');
      fs.mkdirSync(stateRoot);
      const { created } = await bootstrap({ stateRoot, skipMountCheck: true });
      expect(created).toEqual(stateRootDirectories);
      const made = fs.readdirSync(stateRoot, { recursive: true, encoding: 'utf8' });
      expect(made.sort()).toEqual([...stateRootDirectories, 'edge'].sort());
    }));

  test('fills in what is missing; touches nothing where nothing is', () =>
    withDevice(async (device) => {
      fs.rmSync(device.inside('epoch'), { recursive: true });
      expect(await bootstrap(on(device))).toEqual({ created: ['epoch'] });
      const again = await leavesAlone(device, () => bootstrap(on(device)));
      expect(again).toEqual({ created: [] });
    }));

  test('refuses a state root that is not there, a file in the way, a place that is not named', () =>
    withDevice(async (device) => {
      const nowhere = { ...on(device), stateRoot: path.join(device.directory, 'nowhere') };
      expect(await codeOf(bootstrap(nowhere))).toBe('state_root.missing');
      fs.rmSync(device.inside('epoch'), { recursive: true });
      fs.writeFileSync(device.inside('epoch'), '');
      const { code, details } = await refusal(bootstrap(on(device)));
      expect({ code, details }).toEqual({
        code: 'state_root.io_error',
        details: [{ failed_call: 'mkdir', file: 'epoch', errno: 'EEXIST' }],
      });
      expect(await codeOf(bootstrap({} as DeviceOptions))).toBe('config.usage');
    }));
});

describe('captureFingerprint', () => {
  test('says what an OS states, as the precheck stores it', () =>
    withDevice(async (device) => {
      await device.boot();
      const { composite_hash, os_release, uname_release } = device.fingerprint();
      expect(await captureFingerprint(on(device))).toEqual({
        compositeHash: composite_hash,
        osRelease: os_release,
        unameRelease: uname_release,
      });
    }));

  test('with the profile image also what tells images apart', () =>
    withDevice(async (device) => {
      device.write('os/usr/lib/image-id', 'one\n');
      const options = { profile: 'image', files: ['/usr/lib/image-id'] } as const;
      const kernelCommandLine = 'quiet roothash=0123abcd';
      const { image } = await captureFingerprint({ ...on(device), ...options, kernelCommandLine });
      expect(image).toMatchObject({
        'kernel:roothash': '0123abcd',
        'file:/usr/lib/image-id': expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    }));

  test('refuses an OS without os-release, and two machines at once', () =>
    withDevice(async (device) => {
      const osRoot = path.join(device.directory, 'keys');
      expect(await codeOf(captureFingerprint({ osRoot }))).toBe('os.identity_missing');
      const twice = captureFingerprint({ osRoot, host: linuxHost() });
      expect(await codeOf(twice)).toBe('config.usage');
    }));
});

describe('detectOsUpdate', () => {
  test('says what a precheck would decide, and writes nothing', () =>
    withDevice(async (device) => {
      const detect = (kernel = oldKernel as { readonly kernelRelease: string }) =>
        leavesAlone(device, () => detectOsUpdate(on(device, kernel)));
      expect(await detect()).toMatchObject({ decision: 'first_run', bootEpoch: 0 });
      await device.boot();
      expect(await detect()).toMatchObject({
        decision: 'unchanged',
        bootEpoch: 0,
        storedEpoch: 0,
        storedHash: device.fingerprint()['composite_hash'],
        changed: [],
        unfinished: false,
      });
      expect(await detect(newKernel)).toMatchObject({
        decision: 'os_replaced',
        bootEpoch: 1,
        storedEpoch: 0,
        changed: ['uname_release'],
        continued: false,
      });
      fs.rmSync(device.inside('epoch/current'), { recursive: true });
      expect(await detect()).toMatchObject({ decision: 'evidence_damaged', bootEpoch: 0 });
      fs.rmSync(device.inside('bootstrap/os_fingerprint.json'));
      expect(await detect()).toMatchObject({
        decision: 'state_lost',
        bootEpoch: 1,
        storedEpoch: undefined,
      });
    }));

  test('takes a fingerprint in the place of an OS', () =>
    withDevice(async (device) => {
      await device.boot();
      const fingerprint = await captureFingerprint(on(device, newKernel));
      const { stateRoot } = device;
      const found = await detectOsUpdate({ stateRoot, fingerprint });
      expect(found).toEqual(await detectOsUpdate(on(device, newKernel)));
    }));

  test('says that a change was left unfinished', () =>
    withDevice(async (device) => {
      await device.boot();
      fs.mkdirSync(device.inside('bootstrap/transaction'));
      expect(await detectOsUpdate(on(device))).toMatchObject({ unfinished: true });
    }));
});

describe('verifyManifest', () => {
  test('lists the operations with sizes and digests, and writes nothing', () =>
    withDevice(async (device) => {
      const runtime = await leavesAlone(device, () => verifyManifest(on(device)));
      expect(runtime).toMatchObject({ trustedBy: 'state_root_key', signers: [], copiedBytes: 23 });
      const [copy, look] = runtime.operations;
      expect(copy).toMatchObject({
        op: 'copy_binary',
        dst: 'runtime/bin/edge-agent',
        sizeBytes: 23,
      });
      expect(look).toMatchObject({ op: 'verify_config', dst: undefined });
      for (const { hash } of runtime.operations) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    }));

  test.each<[string, (device: TestDevice) => void]>([
    [
      'manifest.signature_invalid',
      (device) => fs.writeFileSync(device.inside('runtime/manifest.json.sig'), Buffer.alloc(64, 1)),
    ],
    [
      'manifest.verify_key_missing',
      (device) => fs.rmSync(device.inside('identity/manifest-verify.pub')),
    ],
    ['operation.src_missing', (device) => fs.rmSync(device.inside('runtime/binaries/edge-agent'))],
  ])('refuses with %s, and says what helps', (code, spoil) =>
    withDevice(async (device) => {
      spoil(device);
      const error = await leavesAlone(device, () => refusal(verifyManifest(on(device))));
      expect(error.code).toBe(code);
      expect(error.remedy).not.toBe('');
      expect(error.details.length).toBeGreaterThan(0);
      expect(exitCodes[error.gate]).toBe(5);
    }),
  );

  test('and detectOsUpdate need no more than the right to read', () =>
    withDevice(async (device) => {
      const machine = linuxHost();
      const inspectDirectory: typeof machine.inspectDirectory = (directory) => {
        const found = machine.inspectDirectory(directory);
        return found && { ...found, access: 'denied', ownedByUsOrRoot: false };
      };
      const { stateRoot } = device;
      const options = { stateRoot, host: { ...machine, inspectDirectory } };
      expect(await verifyManifest(options)).toMatchObject({ copiedBytes: 23 });
      expect(await detectOsUpdate(options)).toMatchObject({ decision: 'first_run' });
    }));

  test('judges the audience where it knows the device', () =>
    withDevice(async (device) => {
      device.writeManifest([], { audience: ['edge-002'] });
      expect(await verifyManifest(on(device))).toMatchObject({ operations: [] });
      const other = verifyManifest({ ...on(device), edgeDomainId: 'edge-001' });
      expect(await codeOf(other)).toBe('manifest.wrong_audience');
    }));
});

describe('runReconstruction', () => {
  test('reconstructs a replaced OS once; does nothing on an unchanged one', () =>
    withDevice(async (device) => {
      await device.boot();
      const events: string[] = [];
      const report = (name: string): unknown => events.push(name);
      const done = await runReconstruction({ ...on(device, newKernel), report });
      expect(done).toMatchObject({ decision: 'os_replaced', bootEpoch: 1, reconstructed: true });
      expect(events).toContain('edge.os.reconstruction_completed');
      expect(device.bootEpoch()).toBe(1);
      expect(device.evidenceEpoch('previous')).toBe(0);
      expect(device.read('state-root/runtime/bin/edge-agent')).toContain('agent 1');
      expect(device.leftovers()).toEqual([]);
      const again = await leavesAlone(device, () => runReconstruction(on(device, newKernel)));
      expect(again).toMatchObject({ decision: 'unchanged', bootEpoch: 1, reconstructed: false });
    }));

  test('continues from the highest epoch where the fingerprint is lost', () =>
    withDevice(async (device) => {
      await device.boot();
      fs.rmSync(device.inside('bootstrap/os_fingerprint.json'));
      const done = await runReconstruction(on(device));
      expect(done).toMatchObject({ decision: 'state_lost', bootEpoch: 1, reconstructed: true });
      expect(device.bootEpoch()).toBe(1);
    }));

  test('leaves a first run and damaged evidence to others', () =>
    withDevice(async (device) => {
      const first = await leavesAlone(device, () => runReconstruction(on(device)));
      expect(first).toMatchObject({ decision: 'first_run', reconstructed: false });
      await device.boot();
      fs.rmSync(device.inside('epoch/current'), { recursive: true });
      const damaged = await leavesAlone(device, () => runReconstruction(on(device)));
      expect(damaged).toMatchObject({ decision: 'evidence_damaged', reconstructed: false });
    }));

  test('refuses a wrong signature, with the state root as it was', () =>
    withDevice(async (device) => {
      await device.boot();
      fs.writeFileSync(device.inside('runtime/manifest.json.sig'), Buffer.alloc(64, 1));
      const before = device.treeDigest();
      const refused = runReconstruction(on(device, newKernel));
      expect(await codeOf(refused)).toBe('manifest.signature_invalid');
      expect(device.treeDigest()).toBe(before);
    }));

  test('in a dry run says what would change, and changes nothing', () =>
    withDevice(async (device) => {
      await device.boot();
      const { reconstructed, changes = [] } = await leavesAlone(device, () =>
        runReconstruction({ ...on(device, newKernel), dryRun: true }),
      );
      expect(reconstructed).toBe(true);
      expect(changes).toContainEqual({
        path: device.inside('runtime/bin/edge-agent'),
        change: 'added',
      });
    }));
});

describe('rotateEpoch', () => {
  test('repairs evidence that is lost, in the same epoch', () =>
    withDevice(async (device) => {
      await device.boot();
      await runReconstruction(on(device, newKernel));
      fs.rmSync(device.inside('epoch/current'), { recursive: true });
      const done = await rotateEpoch(on(device, newKernel));
      expect(done).toMatchObject({ decision: 'evidence_damaged', bootEpoch: 1, rotated: true });
      expect(device.bootEpoch()).toBe(1);
      expect(device.evidenceEpoch('current')).toBe(1);
      expect(device.evidenceEpoch('previous')).toBe(0);
    }));

  test('brings a fingerprint that was put back up to the highest epoch on record', () =>
    withDevice(async (device) => {
      await device.boot();
      await runReconstruction(on(device, newKernel));
      device.editFingerprint({ boot_epoch: 0 });
      expect(await rotateEpoch(on(device, newKernel))).toMatchObject({ bootEpoch: 1 });
      expect(device.bootEpoch()).toBe(1);
    }));

  test('does nothing to a sound state root, and begins no epoch for a new OS', () =>
    withDevice(async (device) => {
      await device.boot();
      const sound = await leavesAlone(device, () => rotateEpoch(on(device)));
      expect(sound).toMatchObject({ decision: 'unchanged', rotated: false, recovered: false });
      const replaced = await leavesAlone(device, () => rotateEpoch(on(device, newKernel)));
      expect(replaced).toMatchObject({ decision: 'os_replaced', rotated: false });
    }));

  test('finishes first what a reconstruction that was cut off had committed to', () =>
    withDevice(async (device) => {
      await device.boot();
      const cut = withDisk(goneFrom('epoch/current'));
      const { stateRoot, skipMountCheck, ...machine } = on(device, newKernel);
      const host = cut(linuxHost(machine));
      const refused = runReconstruction({ stateRoot, skipMountCheck, host });
      expect(await codeOf(refused)).toBe('reconstruction.io_error');
      expect(await detectOsUpdate(on(device, newKernel))).toMatchObject({ unfinished: true });
      expect(device.bootEpoch()).toBe(0);
      const done = await rotateEpoch(on(device, newKernel));
      expect(done).toMatchObject({ decision: 'unchanged', rotated: false, recovered: true });
      expect(device.bootEpoch()).toBe(1);
      expect(device.evidenceEpoch('current')).toBe(1);
    }));

  test('takes back what a run that was cut off had not committed', () =>
    withDevice(async (device) => {
      await device.boot();
      fs.mkdirSync(device.inside('bootstrap/transaction'));
      const done = await rotateEpoch(on(device));
      expect(done).toMatchObject({ decision: 'unchanged', rotated: false, recovered: true });
      expect(device.leftovers()).toEqual([]);
    }));

  test('refuses a state root that is on no persistent filesystem of its own', () =>
    withDevice(async (device) => {
      const options = { ...on(device), skipMountCheck: false, expectedUuid: 'none-such' };
      expect(await codeOf(rotateEpoch(options))).toMatch(/^state_root\./);
    }));
});

describe('precheck', () => {
  test('without a config: first run, replacement, match', () =>
    withDevice(async (device) => {
      const certificate = withCertificate(device);
      const first = await precheck({ ...on(device), ...certificate });
      expect(first).toMatchObject({ decision: 'first_run', bootEpoch: 0, mountCheckSkipped: true });
      expect(Date.parse(first.certificateNotAfter)).toBeGreaterThan(Date.now());
      const second = await precheck({ ...on(device, newKernel), ...certificate });
      expect(second).toMatchObject({ decision: 'os_replaced', bootEpoch: 1 });
      expect(device.bootEpoch()).toBe(1);
      const third = await precheck({ ...on(device, newKernel), ...certificate });
      expect(third).toMatchObject({ decision: 'unchanged', bootEpoch: 1 });
    }));

  test('with the config of a file, and with the same as an object', () =>
    withDevice(async (device) => {
      const { osRoot } = on(device);
      const machine = { osRoot, ...oldKernel, skipMountCheck: true };
      const first = await precheck({ config: device.config, ...machine });
      expect(first.decision).toBe('first_run');
      const { parseConfig } = await import('edged/config/config');
      const config = await parseConfig(device.read('edge.toml'), 'edge.toml');
      expect((await precheck({ config, ...machine })).decision).toBe('unchanged');
      const transport = { ...config.transport, cert_file: 'edge.crt', key_file: 'edge.key' };
      const relative = { ...config, transport: { ...transport, ca_file: 'edge.crt' } };
      const beside = { config: relative, baseDirectory: device.directory, ...machine };
      expect((await precheck(beside)).decision).toBe('unchanged');
    }));

  test('refuses a config object as it refuses a file: every problem at once', () =>
    withDevice(async (device) => {
      const config = { schema: 'v1', qouta: {} } as unknown as ConfigOptions['config'];
      const error = await leavesAlone(device, () => refusal(precheck({ config })));
      expect(error.code).toBe('config.invalid');
      expect(exitCodes[error.gate]).toBe(1);
      expect(error.details).toContainEqual(
        expect.objectContaining({ key: 'qouta', did_you_mean: 'quota' }),
      );
    }));

  test('refuses a certificate that ends soon', () =>
    withDevice(async (device) => {
      await device.issueCertificate(3);
      const { code, gate } = await refusal(precheck({ ...on(device), ...withCertificate(device) }));
      expect(code).toBe('certificate.expires_soon');
      expect(exitCodes[gate]).toBe(3);
    }));

  test('in a dry run writes nothing', () =>
    withDevice(async (device) => {
      const options = { ...on(device), ...withCertificate(device), dryRun: true };
      const { decision, changes = [] } = await leavesAlone(device, () => precheck(options));
      expect(decision).toBe('first_run');
      expect(changes.map(({ path: file }) => file)).toContain(
        device.inside('bootstrap/os_fingerprint.json'),
      );
      expect(device.bootEpoch()).toBeUndefined();
    }));

  test('calls a fault of its own by its name', () =>
    withDevice(async (device) => {
      const host = linuxHost(on(device));
      const fault = new TypeError('a fault');
      const broken = {
        ...host,
        inspectDirectory: () => {
          throw fault;
        },
      };
      const { stateRoot } = device;
      const options = { stateRoot, host: broken, ...withCertificate(device) };
      const { code, cause } = await refusal(precheck(options));
      expect({ code, cause }).toEqual({ code: 'internal.defect', cause: fault });
    }));
});
