import { createHash } from 'node:crypto';
import { UserError } from '#contract/errors.ts';
import { readKeyFields } from './key-fields.ts';

/** A public key as OpenSSH writes it. */
export interface PublicKey {
  /** Type, key and comment, without options or a line end. */
  line: string;
  /** `ssh-ed25519 AAAA…`: what makes it the key that it is. */
  identity: string;
  /** `SHA256:…`, as `ssh-keygen -l` has it. */
  fingerprint: string;
}

const MAX_BYTES = 16_384;
const LINE = /^([a-z0-9@.-]+) +([A-Za-z0-9+/]+={0,2})(?: +(\P{Cc}+))?$/u;

/**
 * Reads one public key; anything beside it, options among them, would be told to sshd as it stands.
 *
 * @throws UserError `PUBLIC_KEY_INVALID`
 */
export function parsePublicKey(text: string): PublicKey {
  if (text.length > MAX_BYTES) throw invalid('it is too long');
  if (text.includes('PRIVATE KEY'))
    throw invalid('it is a private key', 'give the file that ends in .pub; the private key stays with you');
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (lines.length !== 1)
    throw invalid(lines.length === 0 ? 'it is empty' : 'it has several lines', 'give one key');
  const [, type, encoded, comment] = LINE.exec(lines[0]?.trim() ?? '') ?? [];
  if (type === undefined || encoded === undefined) throw invalid('it is not written as OpenSSH writes them');
  const blob = Buffer.from(encoded, 'base64');
  if (blob.toString('base64') !== encoded) throw invalid('its base64 is damaged');
  const problem = readKeyFields(type, blob);
  if (problem !== undefined) throw invalid(problem);
  const identity = `${type} ${encoded}`;
  const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return {
    line: comment === undefined ? identity : `${identity} ${comment.trim()}`,
    identity,
    fingerprint: `SHA256:${hash}`,
  };
}

function invalid(
  why: string,
  hint = 'give a file such as ~/.ssh/id_ed25519.pub, made by ssh-keygen',
): UserError {
  return new UserError('PUBLIC_KEY_INVALID', `Cannot use the public key: ${why}`, { hint });
}
