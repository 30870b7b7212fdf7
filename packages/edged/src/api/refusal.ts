/** Every function of the API refuses in one way: with a `PrecheckError`. */
import { toPrecheckError } from '@edged/model/failure';
import { asFailure } from '@edged/precheck/state-root/disk-failure';
import { requireOptions } from './arguments.ts';

/** Whatever is thrown becomes a `PrecheckError`; what is no refusal is `internal.defect`. */
export async function refusing<Result>(
  options: unknown,
  act: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    requireOptions(options);
    return await act();
  } catch (error) {
    throw toPrecheckError(asFailure('state_root.io_error', error));
  }
}
