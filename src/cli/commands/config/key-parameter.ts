import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';

/** One configuration key, such as `vm_defaults.vcpu`. */
export const keyPositional = {
  brief: 'A key, such as log_level or vm_defaults.vcpu',
  placeholder: 'key',
  parse: parseKeyWord,
  async proposeCompletions(this: CliContext): Promise<readonly string[]> {
    const { KEY_NAMES } = await import('#config/keys.ts');
    return KEY_NAMES;
  },
} as const;

function parseKeyWord(text: string): string {
  if (text.trim() !== '') return text;
  throw new UserError('USAGE', 'Cannot find a configuration key: the name is empty', {
    hint: 'banger config show',
  });
}
