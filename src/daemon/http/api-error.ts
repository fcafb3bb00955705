import type { FastifyError } from 'fastify';
import { ERROR_STATUS, UserError } from '#contract/errors.ts';
import type { ErrorBody } from '#contract/owner/error.ts';
import { translateHostFailure } from '../host-failure.ts';
import { describeBug, describeUserError } from '../operation/error-body.ts';
import { fieldIssues, sentenceOf } from './field-issues.ts';

export interface ErrorAnswer {
  status: number;
  body: ErrorBody;
  /** It is not the caller's doing: to be logged with its stack. */
  isBug: boolean;
}

/** What a request is answered whose handling threw. */
export function answerError(error: unknown, requestId: string): ErrorAnswer {
  const expected =
    error instanceof UserError ? error : (translateFramework(error) ?? translateHostFailure(error));
  if (expected)
    return {
      status: ERROR_STATUS[expected.code],
      body: { error: describeUserError(expected) },
      isBug: false,
    };
  return { status: 500, body: { error: describeBug(`request ${requestId}`) }, isBug: true };
}

/** Fastify's own refusals, which carry a status below 500. */
function translateFramework(error: unknown): UserError | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { code, statusCode, validation, validationContext, message } = error as FastifyError;
  if (validation) return invalidFields(validation, validationContext ?? 'request');
  if (statusCode === undefined || statusCode >= 500) return undefined;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new UserError('REQUEST_TOO_LARGE', 'Cannot read the request: its body is larger than 1 MiB');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new UserError('INVALID_ARGUMENT', 'Cannot read the request: its body is not declared as JSON', {
        hint: 'send "content-type: application/json"',
      });
    default:
      return new UserError('INVALID_ARGUMENT', `Cannot read the request: ${message.replace(/\.$/, '')}`);
  }
}

type Validation = NonNullable<FastifyError['validation']>;

function invalidFields(validation: Validation, context: string): UserError {
  const issues = fieldIssues(
    validation.map(({ instancePath, message = 'invalid' }) => ({
      path: instancePath.split('/').filter(Boolean),
      message,
    })),
  );
  const part = { body: 'body', querystring: 'query', params: 'path' }[context] ?? 'request';
  return new UserError('INVALID_ARGUMENT', `Cannot accept the request: ${part} ${sentenceOf(issues)}`, {
    details: { part, issues },
  });
}
