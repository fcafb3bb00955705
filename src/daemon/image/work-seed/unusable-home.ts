import { UserError } from '#contract/errors.ts';

/** `why` completes "… /root in the image: …". */
export function unusableHome(why: string): UserError {
  return new UserError('IMAGE_SOURCE_INVALID', `Cannot make a work seed of /root in the image: ${why}`, {
    hint: 'the image needs a plain folder at /root, or none; correct it in a VM and commit that',
  });
}
