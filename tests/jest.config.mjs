import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('..', import.meta.url));

export default {
  rootDir: '..',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tests/tools/strip-types.mjs' },
  testEnvironmentOptions: {
    customExportConditions: ['edged-source', 'node', 'node-addons'],
  },
  setupFilesAfterEnv: ['<rootDir>/tests/tools/end-command-thread.mjs'],
  reporters: ['default', ['<rootDir>/tests/tools/reporter.mjs', { rootDir: top }]],
  coverageProvider: 'v8',
  collectCoverageFrom: ['packages/*/src/**/*.ts'],
  coverageReporters: ['text', 'json-summary'],
  coverageDirectory: 'node_modules/.cache/coverage',
  maxWorkers: '100%',
  testTimeout: 60_000,
};
