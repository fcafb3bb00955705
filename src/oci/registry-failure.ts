import * as z from 'zod';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import { ConnectionError } from './connection-error.ts';
import type { HttpResponse } from './http-transport.ts';
import { readBounded } from './read-bounded.ts';

const MAX_MESSAGE_BYTES = 8 * 2 ** 10;
const MESSAGE_TIMEOUT_MS = 5000;
/** Of the server's failures, those that another attempt does not change: not implemented, HTTP version not supported. */
const LASTING_STATUSES = [501, 505];

const errorsSchema = z.object({ errors: z.array(z.object({ message: z.string().optional() })) });

/** A registry answered with a status that was not hoped for. */
export class StatusError extends Error {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(response: HttpResponse, explanation: string) {
    super(
      `${response.url.host} answered ${response.status}${explanation === '' ? '' : `, "${explanation}"`}`,
    );
    this.name = 'StatusError';
    this.status = response.status;
    this.retryAfterMs = parseRetryAfter(response.headers['retry-after'], Date.now());
  }
}

/** The failure that an answer stands for, with what the registry says about it. Destroys the body. */
export async function toStatusError(response: HttpResponse, signal?: AbortSignal): Promise<StatusError> {
  const bounds = { maxBytes: MAX_MESSAGE_BYTES, timeoutMs: MESSAGE_TIMEOUT_MS, signal };
  try {
    return new StatusError(response, findExplanation(await readBounded(response, bounds)));
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return new StatusError(response, ''); // the status is the news; its explanation may be missing
  }
}

/** Whether the same request may succeed when it is repeated. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StatusError) return isPassingStatus(error.status);
  return error instanceof ConnectionError && error.isPassing;
}

function isPassingStatus(status: number): boolean {
  return [408, 429].includes(status) || (status >= 500 && !LASTING_STATUSES.includes(status));
}

/**
 * What a failure means to the user. What is no failure of a registry or of the disk is returned as it is.
 *
 * @param action `Cannot pull "alpine"`
 */
export function describeFailure(error: unknown, action: string, registry: string): unknown {
  if (error instanceof StatusError) return describeStatus(error, `${action}: ${error.message}`, registry);
  if (error instanceof ConnectionError) {
    return new UserError('REGISTRY_UNREACHABLE', `${action}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
  if (['ENOSPC', 'EDQUOT'].includes(systemErrorCode(error) ?? '')) {
    const hint = 'banger image cache prune';
    return new UserError('HOST_DISK_FULL', `${action}: there is no room left on the host`, {
      hint,
      cause: error,
    });
  }
  return error;
}

function describeStatus(error: StatusError, message: string, registry: string): UserError {
  const details = { status: error.status };
  if (error.status === 401 || error.status === 403) {
    const hint = `docker login ${registry} (a repository that does not exist may look like this too)`;
    return new UserError('REGISTRY_AUTH_FAILED', message, { hint, details, cause: error });
  }
  if (error.status === 404) {
    const hint = 'Check the spelling of repository and tag';
    return new UserError('IMAGE_NOT_FOUND', message, { hint, details, cause: error });
  }
  if (isPassing(error)) {
    const hint = 'Run the command again later; it takes up the downloads';
    return new UserError('REGISTRY_UNREACHABLE', message, { hint, details, cause: error });
  }
  return new UserError('IMAGE_PULL_FAILED', message, { details, cause: error });
}

/** Seconds or a date, as milliseconds from now. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** The message in `{"errors":[{"message": …}]}`, '' without; cleaned, because it goes to a terminal. */
function findExplanation(body: Buffer | undefined): string {
  try {
    const { errors } = errorsSchema.parse(JSON.parse(body?.toString() ?? ''));
    return (errors[0]?.message ?? '').replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, ' ').slice(0, 200);
  } catch {
    return ''; // a page of HTML, or nothing
  }
}
