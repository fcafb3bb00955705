export interface Migration {
  /** Ascending, never used twice. */
  id: number;
  name: string;
  sql: string;
}
