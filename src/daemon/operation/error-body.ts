import type { ErrorBody } from '#contract/owner/error.ts';
import type { UserError } from '#contract/errors.ts';

type ErrorOfBody = ErrorBody['error'];

/** What a user is told of an expected failure. */
export function describeUserError(error: UserError, operationId?: string): ErrorOfBody {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: { ...error.details } }),
    ...(operationId === undefined ? {} : { operationId }),
  };
}

/** What a user is told of a bug: nothing but where to find it. `id` is of the operation or request, as in the log. */
export function describeBug(id: string, operationId?: string): ErrorOfBody {
  return {
    code: 'INTERNAL',
    message: `An unexpected error ended ${id}; the daemon's log tells more`,
    hint: 'banger daemon logs',
    ...(operationId === undefined ? {} : { operationId }),
  };
}
