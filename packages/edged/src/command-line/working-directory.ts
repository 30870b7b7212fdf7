/** The working directory, where there may be none: somebody has removed it. */
import { PrecheckError } from '@edged/model/failure';

/** Only what is relative needs one: a command goes on without. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** `config.input_unusable` for what was relative to a directory that is no more. */
export function withoutDirectory(error: unknown): unknown {
  const { syscall, code } = error as NodeJS.ErrnoException;
  if (syscall !== 'uv_cwd') return error;
  const problem = 'the working directory was removed; paths cannot start there';
  return new PrecheckError(
    'config.input_unusable',
    { file: '.', errno: code ?? '', problem },
    error,
  );
}
