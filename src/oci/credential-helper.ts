import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { CommandError, runCommand } from '#host/run-command.ts';
import type { Credentials } from './credentials.ts';

const TIMEOUT_MS = 30_000;
/** What the helpers print, with a status other than 0, when they know of no login. */
const NOTHING_KNOWN = 'credentials not found';
/** The user name that says: the secret is a token. */
const TOKEN_USER = '<token>';

const answerSchema = z.object({ Username: z.string(), Secret: z.string().min(1) });

/**
 * Asks `docker-credential-<name>` for the login of a registry; undefined when it has none.
 *
 * @throws UserError REGISTRY_AUTH_FAILED when there is no such program, or it fails
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  { signal }: Abortable = {},
): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name)) throw failed(name, server, 'this is no name of a helper');
  const answer = await runHelper(name, server, signal);
  if (answer === undefined) return undefined;
  try {
    const { Username, Secret } = answerSchema.parse(JSON.parse(answer));
    if (Username === TOKEN_USER) return { kind: 'identity-token', token: Secret };
    return { kind: 'password', username: Username, password: Secret };
  } catch {
    // Without the cause: its message may quote the secret.
    throw failed(name, server, 'it printed no login');
  }
}

async function runHelper(
  name: string,
  server: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const options = { input: server, timeoutMs: TIMEOUT_MS, proxies: true, signal };
  try {
    return (await runCommand(`docker-credential-${name}`, ['get'], options)).stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.stdout.includes(NOTHING_KNOWN)) return undefined;
    // Without the cause: it holds the output, and the output may hold the secret.
    throw failed(
      name,
      server,
      error.systemCode === 'ENOENT' ? 'there is no such program' : 'the program failed',
    );
  }
}

function failed(name: string, server: string, condition: string): UserError {
  return new UserError(
    'REGISTRY_AUTH_FAILED',
    `Cannot get the login for "${server}" from the credential helper "${name}": ${condition}`,
    { hint: `Install docker-credential-${name}, or take "${name}" out of ~/.docker/config.json` },
  );
}
