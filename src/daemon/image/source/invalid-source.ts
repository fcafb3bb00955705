import { UserError } from '#contract/errors.ts';

interface Reason {
  hint?: string;
  cause?: unknown;
}

export function invalidSource(path: string, why: string, { hint, cause }: Reason = {}): UserError {
  return new UserError('IMAGE_SOURCE_INVALID', `Cannot make an image of "${path}": ${why}`, {
    hint: hint ?? 'docs/images.md says what is taken',
    cause,
  });
}
