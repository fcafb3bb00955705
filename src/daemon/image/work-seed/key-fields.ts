/** The fields after the type, each checked; undefined when it is as it should be. */
type Check = (field: Buffer) => string | undefined;

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 16_384;

const KEY_TYPES: Readonly<Record<string, readonly Check[]>> = {
  'ssh-ed25519': [length(32)],
  'ssh-rsa': [positive, modulus],
  'ecdsa-sha2-nistp256': [text('nistp256'), point(32)],
  'ecdsa-sha2-nistp384': [text('nistp384'), point(48)],
  'ecdsa-sha2-nistp521': [text('nistp521'), point(66)],
  'sk-ssh-ed25519@openssh.com': [length(32), notEmpty],
  'sk-ecdsa-sha2-nistp256@openssh.com': [text('nistp256'), point(32), notEmpty],
};

/** What is wrong with a key's own bytes (RFC 4253, 5656, 8709; OpenSSH's PROTOCOL.u2f), undefined when nothing is. */
export function readKeyFields(type: string, blob: Buffer): string | undefined {
  const checks = KEY_TYPES[type];
  if (checks === undefined) return `keys of type "${type}" are not taken`;
  const fields = fieldsOf(blob);
  if (fields === undefined) return 'it is cut short or damaged';
  const [inner, ...rest] = fields;
  if (inner?.toString('latin1') !== type) return 'it is of another type than it says';
  if (rest.length !== checks.length) return 'it is damaged';
  return rest.map((field, index) => checks[index]?.(field)).find((problem) => problem !== undefined);
}

/** Each with its length in front. */
function fieldsOf(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length;) {
    const size = at + 4 <= blob.length ? blob.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    at += 4;
    if (at + size > blob.length) return undefined;
    fields.push(blob.subarray(at, at + size));
    at += size;
  }
  return fields;
}

function length(bytes: number): Check {
  return (field) => (field.length === bytes ? undefined : 'it is damaged');
}

function text(expected: string): Check {
  return (field) => (field.toString('latin1') === expected ? undefined : 'it is damaged');
}

/** Uncompressed, as OpenSSH writes it. */
function point(bytes: number): Check {
  return (field) => (field[0] === 4 && field.length === 1 + 2 * bytes ? undefined : 'it is damaged');
}

function notEmpty(field: Buffer): string | undefined {
  return field.length > 0 ? undefined : 'it is damaged';
}

function positive(field: Buffer): string | undefined {
  const isPositive = field.some((byte) => byte !== 0) && ((field[0] ?? 0) & 0x80) === 0;
  return isPositive && field.length <= 8 ? undefined : 'it is damaged';
}

function modulus(field: Buffer): string | undefined {
  const digits = field.toString('hex').replace(/^0+/, '');
  const bits =
    digits === '' ? 0 : (digits.length - 1) * 4 + Number.parseInt(digits.charAt(0), 16).toString(2).length;
  if (((field[0] ?? 0) & 0x80) !== 0) return 'it is damaged';
  if (bits < MIN_RSA_BITS) return `an RSA key of ${bits} bits is too short`;
  return bits > MAX_RSA_BITS ? `an RSA key of ${bits} bits is too long` : undefined;
}
