import { isErrorCode, UserError } from '#contract/errors.ts';

/**
 * The error that an error body tells of. Read by hand, because zod costs more to load than a whole request takes.
 *
 * A code that this build does not know becomes `INTERNAL`, with the code in `details.code`.
 */
export function parseErrorBody(body: unknown, context: string): UserError {
  const error = isRecord(body) ? body['error'] : undefined;
  if (!isRecord(error) || typeof error['code'] !== 'string' || typeof error['message'] !== 'string') {
    return new UserError('INTERNAL', `${context}: the daemon answered with an error that cannot be read`);
  }
  const { code, message } = error;
  const details = {
    ...(isRecord(error['details']) ? error['details'] : {}),
    ...(typeof error['operationId'] === 'string' ? { operationId: error['operationId'] } : {}),
    ...(isErrorCode(code) ? {} : { code }),
  };
  return new UserError(isErrorCode(code) ? code : 'INTERNAL', message, {
    hint: typeof error['hint'] === 'string' ? error['hint'] : undefined,
    details: Object.keys(details).length > 0 ? details : undefined,
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
