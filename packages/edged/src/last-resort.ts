/**
 * Loaded before anything else: what fails while the program is still being loaded is a defect, and
 * a defect is exit 5. Left alone, the runtime would exit with 1 and blame the config. `main` puts
 * better handlers in the place of these.
 */
import fs from 'node:fs';

const defect = 5;

function fail(error: unknown): never {
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const line = `level=ERROR msg="edged: internal error" problem=${JSON.stringify(problem)}\n`;
  try {
    fs.writeSync(2, line);
  } finally {
    process.exit(defect);
  }
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
