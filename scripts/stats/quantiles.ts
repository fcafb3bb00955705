export interface Quantiles {
  count: number;
  median: number;
  p90: number;
  p95: number;
  max: number;
}

export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { count: sorted.length, median: at(0.5), p90: at(0.9), p95: at(0.95), max: at(1) };
}
