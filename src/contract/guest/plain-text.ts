/** Text of a guest for people: at most `maxLength` characters, none of which a terminal would obey. */
export function plainText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
