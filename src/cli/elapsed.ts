/** `0.3s`, `12.0s`, `2m05s`. */
export function formatElapsed(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];

/** `just now`, `5 minutes ago`, `3 days ago`. */
export function formatAge(ageMs: number): string {
  for (const [unitMs, name] of UNITS) {
    const count = Math.floor(ageMs / unitMs);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'} ago`;
  }
  return 'just now';
}

const SHORT_UNITS: readonly (readonly [seconds: number, letter: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
];

/** `12s`, `4m10s`, `2h5m`, `3d4h`: its two largest units. */
export function formatUptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const largest = SHORT_UNITS.findIndex(([unit]) => seconds >= unit);
  if (largest === -1) return '0s';
  let rest = seconds;
  let text = '';
  for (const [unit, letter] of SHORT_UNITS.slice(largest, largest + 2)) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    if (count > 0) text += `${count}${letter}`;
  }
  return text;
}
