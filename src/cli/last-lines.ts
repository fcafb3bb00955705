const LINE_BREAK = 0x0a;

/** How many bytes the last `lines` lines take; a line break at the very end begins no line. */
export function bytesOfLastLines(text: Uint8Array, lines: number): number {
  if (lines === 0) return 0;
  let found = 0;
  for (let index = text.length - 2; index >= 0; index -= 1) {
    if (text[index] !== LINE_BREAK) continue;
    found += 1;
    if (found === lines) return text.length - index - 1;
  }
  return text.length;
}
