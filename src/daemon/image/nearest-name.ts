/** The known name that is most like `wanted`, if one is close enough to be a slip of the finger. */
export function nearestName(wanted: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({
      name,
      distance: name.startsWith(wanted) || name.includes(wanted) ? 0 : editDistance(wanted, name),
    }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && wanted !== '' && best.distance <= Math.max(2, Math.floor(best.name.length / 3))
    ? best.name
    : undefined;
}

/** Insertions, deletions and replacements that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, wanted] of [...to].entries()) {
      const [diagonal = 0, above = 0] = previous.slice(column, column + 2);
      current.push(Math.min(diagonal + (letter === wanted ? 0 : 1), above + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
