export interface Distribution {
  count: number;
  min: number;
  p50: number;
  p95: number;
  max: number;
}

/** Nearest-rank percentiles. @throws when there is no sample */
export function distributionOf(samples: readonly number[]): Distribution {
  if (samples.length === 0) throw new Error('no samples to make percentiles of');
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
  return { count: sorted.length, min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) };
}
