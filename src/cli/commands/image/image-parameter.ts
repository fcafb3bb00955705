import { withTimeout } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';

const COMPLETION_MS = 1000;

/** The image that a command is about. */
export const imageParameter = {
  brief: 'Name or id of the image',
  placeholder: 'image',
  parse: parseImageReference,
  async proposeCompletions(this: CliContext): Promise<readonly string[]> {
    const signal = withTimeout(COMPLETION_MS);
    try {
      using client = await this.connectIfRunning(signal);
      const images = (await client?.images.list({ signal }))?.images ?? [];
      return images.flatMap(({ names }) => names);
    } catch {
      return []; // a completion has nobody to tell
    }
  },
} as const;

export const imagePositional = { kind: 'tuple', parameters: [imageParameter] } as const;

export const imagesPositional = { kind: 'array', minimum: 1, parameter: imageParameter } as const;

export function parseImageReference(text: string): string {
  if (text === '') {
    throw new UserError('USAGE', 'Cannot find an image: the name is empty', { hint: 'banger image list' });
  }
  if (text.startsWith('-')) throw new UserError('USAGE', `Cannot read "${text}": there is no such flag`);
  return text;
}
