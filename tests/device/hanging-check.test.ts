/** A check that hangs for ever holds nobody: it is given up after its limit, which takes that long. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';
import { failures } from '@edged/model/failure';
import { startCommand } from '@edged/testkit/device/built-command';
import { withDevice } from '@edged/testkit/device/device';
import { testWith } from '@edged/testkit/needs';
import { hasOpen, processesWith } from '@edged/testkit/processes';
import { checkById, checks } from 'edged/checks/registry';

interface DoctorDocument {
  readonly exit_code: number;
  readonly checks: readonly Readonly<Record<string, unknown>>[];
}

testWith('mkfifo', '/dev/shm')(
  'a check that hangs is unknown after its limit, and the others are asked all the same',
  () =>
    withDevice(async (device) => {
      device.precheck();
      const config = device.read('edge.toml');
      const shared = fs.mkdtempSync('/dev/shm/edged-worker-');
      device.removeLater(shared);
      const pipe = path.join(shared, 'edge.toml'); // a pipe in /dev is one that a shell made
      execFileSync('mkfifo', [pipe]);
      const fifo = fs.openSync(pipe, 'r+'); // so that whoever reads waits for us
      const started = performance.now();
      const args = ['--config', pipe, '--output', 'json'];
      const { child, ended } = startCommand(['doctor', ...args]);
      let worker: number | undefined;
      while (worker === undefined && child.exitCode === null) {
        worker = processesWith('run-checks').find((pid) => hasOpen(pid, pipe));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      device.write('edge.new', config);
      fs.renameSync(path.join(device.directory, 'edge.new'), device.config);
      const { exitCode, stdout } = await ended;
      fs.closeSync(fifo);
      expect(worker).toBeDefined();
      const took = (performance.now() - started) / 1000;
      const limit = checkById('config.file').timeLimitSeconds;
      expect(took).toBeGreaterThanOrEqual(limit);
      expect(took).toBeLessThan(limit + 20);
      expect(exitCode).toBe(5);
      const document = JSON.parse(stdout) as DoctorDocument;
      expect(document.exit_code).toBe(5);
      expect(document.checks.map(({ id }) => id)).toEqual(checks.map(({ id }) => id));
      const { message, remedy } = failures['inspection.timed_out'];
      expect(document.checks[0]).toMatchObject({
        id: 'config.file',
        status: 'unknown',
        reason: 'inspection.timed_out',
        details: [{ check: 'config.file', limit_seconds: limit }],
        message,
        remedy,
      });
      const service = document.checks.filter(({ id }) => String(id).startsWith('service.'));
      for (const { summary } of service) expect(summary).not.toMatch(/^because /);
      const behind = document.checks.find(({ id }) => id === 'state_root.directory');
      expect(behind).toMatchObject({
        status: 'skipped',
        summary: 'because config did not pass',
      });
      expect(processesWith('run-checks')).not.toContain(worker);
    }),
);
