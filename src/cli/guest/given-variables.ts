import { UserError } from '#contract/errors.ts';
import type { Environment } from '#base/environment.ts';

/** `NAME=value` as it is; `NAME` alone is passed on from here when it is set. */
export function readGivenVariables(given: readonly string[], env: Environment): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const text of given) {
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? env[name] : text.slice(equals + 1);
    if (name === '') {
      throw new UserError('USAGE', `Cannot use "${text}" as variable: it has no name`, {
        hint: 'write --env NAME=value',
      });
    }
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}
