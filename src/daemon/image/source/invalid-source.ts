import { UserError } from '#contract/errors.ts';

export function invalidSource(path: string, why: string, cause?: unknown): UserError {
  return new UserError('IMAGE_SOURCE_INVALID', `Cannot make an image of "${path}": ${why}`, { cause });
}
