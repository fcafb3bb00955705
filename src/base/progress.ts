/** How work that takes long says where it is. */
export interface ProgressReporter {
  /** What is being done at the moment, for people: one short sentence without a period. */
  detail(text: string): void;
  progress(done: number, total: number | undefined, unit: 'bytes' | 'items'): void;
}
