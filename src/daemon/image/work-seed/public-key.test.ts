import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { parsePublicKey } from './public-key.ts';

/** RFC 4251: a length, then the bytes. */
function field(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}
const written = (type: string, ...fields: (Buffer | string)[]) =>
  `${type} ${Buffer.concat([type, ...fields].map(field)).toString('base64')}`;

const point = (bytes: number) => Buffer.concat([Buffer.from([4]), Buffer.alloc(2 * bytes, 7)]);
const exponent = Buffer.from('010001', 'hex');
const ED25519 = written('ssh-ed25519', Buffer.alloc(32, 1));

function modulus(bits: number): Buffer {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const { n = '' } = publicKey.export({ format: 'jwk' });
  return Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]);
}

describe('a public key', () => {
  test('is known by its fingerprint, as ssh-keygen has it', () => {
    const line =
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github.com';
    const key = parsePublicKey(`# mine\n${line}\r\n\n`);
    assert.equal(key.fingerprint, 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
    assert.equal(key.line, line);
    assert.equal(`${key.identity} github.com`, line);
  });

  for (const [name, line] of Object.entries({
    ed25519: ED25519,
    'rsa of 2048 bits': written('ssh-rsa', exponent, modulus(2048)),
    'ecdsa 256': written('ecdsa-sha2-nistp256', 'nistp256', point(32)),
    'ecdsa 384': written('ecdsa-sha2-nistp384', 'nistp384', point(48)),
    'ecdsa 521': written('ecdsa-sha2-nistp521', 'nistp521', point(66)),
    'ed25519 on a token': written('sk-ssh-ed25519@openssh.com', Buffer.alloc(32, 1), 'ssh:'),
    'ecdsa on a token': written('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', point(32), 'ssh:'),
  })) {
    test(`of the type ${name}`, () => {
      assert.equal(parsePublicKey(`${line}  José's laptop `).line, `${line} José's laptop`);
      assert.equal(parsePublicKey(line).line, line);
    });
  }

  for (const [name, text, message] of [
    ['nothing', ' \n', /it is empty/],
    ['two keys', `${ED25519}\n${ED25519}\n`, /several lines/],
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nabc', /it is a private key/],
    ['options', `command="id" ${ED25519}`, /not written as OpenSSH/],
    ['options without quotes', `no-pty ${ED25519}`, /not written|not taken|base64/],
    ['a control character in the comment', `${ED25519} a\u001b[31m`, /not written as OpenSSH/],
    ['a carriage return that hides a line', `${ED25519} a\rssh-rsa x`, /not written as OpenSSH/],
    ['damaged base64', `${ED25519.slice(0, -1)}!`, /not written|base64/],
    ['base64 that says the same in another way', `ssh-ed25519 ${ED25519.split(' ')[1]}=`, /base64/],
    ['a key that is cut short', written('ssh-ed25519', Buffer.alloc(31)), /damaged/],
    [
      'a length beyond the end',
      `ssh-ed25519 ${Buffer.from('ffffffff00', 'hex').toString('base64')}`,
      /cut short/,
    ],
    ['another type inside', ED25519.replace('ssh-ed25519', 'ssh-rsa'), /of another type/],
    ['more behind it', written('ssh-ed25519', Buffer.alloc(32), 'more'), /damaged/],
    ['another curve', written('ecdsa-sha2-nistp256', 'nistp384', point(32)), /damaged/],
    ['a compressed point', written('ecdsa-sha2-nistp256', 'nistp256', Buffer.alloc(33, 2)), /damaged/],
    ['a short RSA key', written('ssh-rsa', exponent, modulus(1024)), /an RSA key of 1024 bits is too short/],
    ['a huge RSA key', written('ssh-rsa', exponent, Buffer.alloc(2100, 0x7f)), /too long/],
    ['a negative modulus', written('ssh-rsa', exponent, Buffer.alloc(256, 0xff)), /damaged/],
    ['no exponent', written('ssh-rsa', Buffer.alloc(1), modulus(2048)), /damaged/],
    ['dsa', written('ssh-dss', 'x'), /keys of type "ssh-dss" are not taken/],
    ['a certificate', written('ssh-ed25519-cert-v01@openssh.com', 'x'), /are not taken/],
    ['far too much', 'x'.repeat(20_000), /too long/],
  ] as const) {
    test(`is not ${name}`, () => {
      assert.throws(
        () => parsePublicKey(text),
        (error) =>
          isUserError(error, 'PUBLIC_KEY_INVALID') && message.test(error.message) && error.hint !== undefined,
      );
    });
  }
});
