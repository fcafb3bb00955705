/** `bytes` random bytes in hexadecimal. */
export function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** 12 hexadecimal digits: short enough for socket paths, long enough not to collide. */
export function newVmId(): string {
  return randomHex(6);
}

export function isVmId(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text);
}

export function newOperationId(): string {
  return `op-${randomHex(6)}`;
}
