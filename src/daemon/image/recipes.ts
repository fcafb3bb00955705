/** A distribution's image that is built on this host from its signed archive. */
export interface Recipe {
  name: string;
  description: string;
  suite: string;
  /** What mmdebstrap begins with; `minbase` is the essential packages and apt. */
  variant: 'minbase' | 'extract';
  /** The keys whose signatures count, and no others; left out: those that the host trusts. */
  keyring?: string;
  packages: readonly string[];
  sizeBytes: number;
}
