/** Gate `inspection`: what only `edged doctor` and `--plan` see. Each says where it is to be seen. */
import fs from 'node:fs';
import path from 'node:path';
import type { TestDevice } from '@edged/testkit/device/device';
import { type Scene, type Scenes, agent, flipBit } from './scene.ts';

const opts = { recursive: true } as const;

const doctor = (device: TestDevice): readonly string[] => [
  'doctor',
  '--config',
  device.config,
  '--output',
  'json',
];

/** The OS image in the device's directory, as the next one. */
const plan = (device: TestDevice): readonly string[] => [
  'precheck',
  '--config',
  device.config,
  '--plan',
  '--root',
  path.join(device.directory, 'os'),
  '--kernel-release',
  '6.9.0',
  '--output',
  'json',
];

function healed(arrange: (device: TestDevice) => void): Pick<Scene, 'arrange' | 'command'> {
  return {
    arrange(device) {
      if (device.precheck().exitCode !== 0) throw new Error('the device is not in order');
      arrange(device);
    },
    command: doctor,
  };
}

/** Certificate and key where they survive an OS replacement. */
function keepPair(device: TestDevice): void {
  for (const name of ['edge.crt', 'edge.key']) {
    fs.renameSync(path.join(device.directory, name), device.inside(`identity/${name}`));
  }
  device.editConfig((text) =>
    text.replaceAll(path.join(device.directory, 'edge.'), device.inside('identity/edge.')),
  );
}

function addUnits(device: TestDevice): void {
  keepPair(device);
  for (const unit of ['edged-precheck.service', 'edged.service']) {
    device.write(`os/usr/lib/systemd/system/${unit}`, '[Unit]\n');
  }
}

export const inspectionScenes: Scenes = {
  'inspection.directory_missing': [
    {
      name: 'edge/relay was removed',
      ...healed((device) => fs.rmSync(device.inside('edge/relay'), opts)),
    },
  ],
  'inspection.mode_too_open': [
    {
      name: 'anybody may write the manifest',
      ...healed((device) => fs.chmodSync(device.inside('runtime/manifest.json'), 0o666)),
    },
    {
      name: 'anybody may read the key of the node',
      ...healed((device) => fs.chmodSync(path.join(device.directory, 'edge.key'), 0o644)),
    },
  ],
  'inspection.directory_closed': [
    {
      name: 'made by an earlier version under UMask=0077',
      ...healed((device) => fs.chmodSync(device.inside('runtime/bin'), 0o700)),
    },
  ],
  'inspection.lock_without_owner': [
    {
      name: 'left by a kill',
      ...healed((device) => fs.mkdirSync(device.inside('.precheck.lock'))),
    },
  ],
  'inspection.unfinished_work': [
    {
      name: 'a transaction that was never committed',
      ...healed((device) => fs.mkdirSync(device.inside('bootstrap/transaction/staged'), opts)),
    },
  ],
  'inspection.records_disagree': [
    {
      name: 'torn evidence',
      ...healed((device) => fs.truncateSync(device.inside('epoch/current/evidence.json'), 20)),
    },
    {
      name: 'no history',
      ...healed((device) => fs.rmSync(device.inside('bootstrap/epoch_history.json'))),
    },
  ],
  'inspection.installed_missing': [
    {
      name: 'the agent was removed',
      ...healed((device) => fs.rmSync(device.inside('runtime/bin/edge-agent'))),
    },
  ],
  'inspection.installed_differs': [
    {
      name: 'one bit of the agent',
      ...healed((device) => flipBit(device, 'runtime/bin/edge-agent', 100)),
    },
    {
      name: 'nobody may run the agent',
      ...healed((device) => fs.chmodSync(device.inside('runtime/bin/edge-agent'), 0o600)),
    },
  ],
  'inspection.binary_changed': [
    {
      name: 'a binary appeared',
      ...healed((device) => device.write('state-root/runtime/binaries/edged', 'another\n')),
    },
  ],
  'inspection.library_missing': [
    {
      name: 'a dynamic program, and an OS without any linker',
      needs: ['a dynamically linked /bin/ls'],
      arrange: (device) => {
        keepPair(device);
        fs.copyFileSync('/bin/ls', device.inside('runtime/binaries/edge-agent'));
        device.writeManifest([agent]);
      },
      command: plan,
    },
  ],
  'inspection.clock_implausible': [
    {
      name: 'a record of tomorrow',
      ...healed((device) => {
        const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
        device.editFingerprint({ captured_at: tomorrow });
      }),
    },
  ],
  'inspection.certificate_expires': [
    {
      name: 'twelve days are left',
      arrange: (device) => device.issueCertificate(12),
      command: doctor,
    },
  ],
  'inspection.no_verdict': [
    {
      name: 'the last verdict is of an earlier boot',
      ...healed((device) => {
        const kept = device.readJson('state-root/bootstrap/last_result.json');
        const file = 'state-root/bootstrap/last_result.json';
        device.write(file, JSON.stringify({ ...kept, boot_id: 'another boot' }));
      }),
      needs: ['a running systemd'],
    },
  ],
  'inspection.unit_missing': [
    {
      name: 'the next OS brings no units of ours',
      arrange: (device) => {
        keepPair(device);
        device.write('os/usr/lib/systemd/system/other.service', '[Unit]\n');
      },
      command: plan,
    },
  ],
  'inspection.unit_disabled': [
    { name: 'the next OS starts none of ours', arrange: addUnits, command: plan },
  ],
};
