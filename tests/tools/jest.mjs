// Starts Jest as this project needs it: with ES modules, as the config of the tests says.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const nothing = { passed: 0, failed: 0, skipped: 0 };

/** `status`: its exit code. `totals`: what the reporter counted. The output goes where ours goes. */
export function runJest(args, environment = {}) {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = ['node_modules/jest/bin/jest.js', '--config', 'tests/jest.config.mjs'];
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edged-jest-'));
  const totals = path.join(directory, 'totals.json');
  try {
    const { status, signal } = spawnSync(process.execPath, [...flags, ...jest, ...args], {
      stdio: 'inherit',
      env: { ...process.env, ...environment, EDGED_TEST_TOTALS: totals },
    });
    if (signal) process.kill(process.pid, signal);
    const counted = fs.existsSync(totals) ? JSON.parse(fs.readFileSync(totals, 'utf8')) : nothing;
    return { status: status ?? 1, totals: counted };
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}
