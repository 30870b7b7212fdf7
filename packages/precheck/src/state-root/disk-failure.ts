/** Gives a refused disk operation the failure code of the gate in which it happened. */
import { DiskError } from '@edged/host/host';
import { type FailureCode, type FailureDetail, PrecheckError } from '@edged/model/failure';

export function refusingAs<Result>(
  code: FailureCode,
  detail: FailureDetail,
  act: () => Result,
): Result {
  try {
    return act();
  } catch (error) {
    throw asFailure(code, error, detail);
  }
}

/** The error itself, unless it is a refused disk operation. */
export function asFailure(code: FailureCode, error: unknown, detail: FailureDetail = {}): unknown {
  if (!(error instanceof DiskError)) return error;
  return new PrecheckError(code, { ...detail, ...diskDetail(error) }, error);
}

/** Takes every step, whatever becomes of the one before; what the disk refused, in their order. */
export function failuresOf(steps: readonly (() => void)[]): DiskError[] {
  return steps.flatMap((step) => {
    try {
      step();
    } catch (error) {
      if (error instanceof DiskError) return [error];
      throw error;
    }
    return [];
  });
}

/** What cannot be read states nothing: for what is told of, and never needed. */
export function stated<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DiskError) return undefined;
    throw error;
  }
}

export function diskDetail({ operation, path, errno }: DiskError): FailureDetail {
  return { failed_call: operation, file: path, errno };
}
