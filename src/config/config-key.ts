import type * as z from 'zod';

/** A value as it stands in the file. */
export type WrittenValue = string | number | readonly string[];

/** One key: all that is known of it, for the schema, the commands and the documentation alike. */
export interface ConfigKey<T = unknown> {
  /** How a word of the command line becomes a value: as it is, as a number, or split at commas. */
  readonly kind: 'text' | 'number' | 'list';
  /** What it takes, for people. */
  readonly takes: string;
  readonly description: string;
  /** What counts when no file says anything; undefined where something else decides. */
  readonly fallback?: WrittenValue;
  /** What decides without a fallback, for people. */
  readonly otherwise?: string;
  /** From what the file says to what the daemon uses. */
  readonly schema: z.ZodType<T>;
}
