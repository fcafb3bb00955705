/** Of `NAME=value` entries, as images have them; the last one of a name counts, what has no name is left out. */
export function readVariables(entries: readonly string[]): Record<string, string> {
  const variables = entries.flatMap((entry) => {
    const equals = entry.indexOf('=');
    return equals > 0 ? [[entry.slice(0, equals), entry.slice(equals + 1)] as const] : [];
  });
  return Object.fromEntries(variables);
}

/** Back to entries; those given go before those that were there. */
export function mergeVariables(
  entries: readonly string[],
  given: Readonly<Record<string, string>>,
): string[] {
  return Object.entries({ ...readVariables(entries), ...given }).map(([name, value]) => `${name}=${value}`);
}
