import * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import type { Credentials } from './credentials.ts';

/** `~/.docker/config.json` or `containers/auth.json`, with keys brought to the form `host[:port][/path]`. */
export interface AuthFile {
  auths: Map<string, Credentials>;
  /** Registry → name of its credential helper. */
  credHelpers: Map<string, string>;
  /** The helper for all other registries. */
  credsStore: string | undefined;
}

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});

const fileSchema = z.object({
  auths: z.record(z.string(), entrySchema).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().optional(),
});

/** @throws UserError REGISTRY_AUTH_FAILED when the text is no such file */
export function parseAuthFile(text: string, path: string): AuthFile {
  const { auths, credHelpers, credsStore } = readFile(text, path);
  const logins = Object.entries(auths ?? {}).flatMap(([key, entry]): [string, Credentials][] => {
    // Beside a credential store Docker leaves an empty entry for each login.
    const credentials = toCredentials(entry);
    return credentials ? [[normalizeKey(key), credentials]] : [];
  });
  return {
    auths: new Map(logins),
    credHelpers: new Map(Object.entries(credHelpers ?? {}).map(([key, name]) => [normalizeKey(key), name])),
    credsStore: credsStore === '' ? undefined : credsStore,
  };
}

function readFile(text: string, path: string): z.output<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    // Without the cause: its message quotes the file, and the file holds passwords.
    throw new UserError('REGISTRY_AUTH_FAILED', `Cannot read the logins in "${path}": it has another form`, {
      hint: 'Correct the file, or remove it and log in again',
    });
  }
}

function toCredentials(entry: z.output<typeof entrySchema>): Credentials | undefined {
  if (entry.identitytoken) return { kind: 'identity-token', token: entry.identitytoken };
  const joined = Buffer.from(entry.auth ?? '', 'base64')
    .toString()
    .replace(/\0+$/, '');
  const colon = joined.indexOf(':');
  if (colon > 0) {
    return { kind: 'password', username: joined.slice(0, colon), password: joined.slice(colon + 1) };
  }
  if (!entry.username || entry.password === undefined) return undefined;
  return { kind: 'password', username: entry.username, password: entry.password };
}

/** Docker's keys may be URLs of the API, `https://index.docker.io/v1/`. */
function normalizeKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
}
