import { UserError } from '#contract/errors.ts';
import { type ExecRequest, execRequestSchema } from '#contract/owner/exec.ts';
import { fieldIssues, sentenceOf } from './field-issues.ts';

/** @throws UserError `INVALID_ARGUMENT` */
export function parseExecRequest(payload: Uint8Array): ExecRequest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    throw new UserError('INVALID_ARGUMENT', 'Cannot run a command: the request is not JSON', {
      cause: error,
    });
  }
  const parsed = execRequestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error.issues);
  throw new UserError('INVALID_ARGUMENT', `Cannot run a command: ${sentenceOf(issues)}`, {
    details: { issues },
  });
}
