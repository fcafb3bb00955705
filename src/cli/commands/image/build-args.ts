import { UserError } from '#contract/errors.ts';
import type { Environment } from '#base/environment.ts';

/** `NAME=value` as it is; `NAME` alone gets the value from here, and is left out where it has none. */
export function readBuildArgs(given: readonly string[], env: Environment): string[] {
  return given.flatMap((text) => {
    const [name = ''] = text.split('=', 1);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new UserError('USAGE', `Cannot use "${text}" as build argument: "${name}" is no name`, {
        hint: 'write --build-arg NAME=value',
      });
    }
    if (text.includes('=')) return [text];
    const value = env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
}
