import { UserError } from '#contract/errors.ts';

/** The file system is damaged, was made to do harm, or uses what is not read here. */
export function unreadable(why: string): UserError {
  return new UserError('IMAGE_SOURCE_INVALID', `Cannot read the file system: ${why}`, {
    hint: 'have it checked: e2fsck -fn FILE; see docs/images.md for what is read',
  });
}
