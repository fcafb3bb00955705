/** How a manifest or an index points at a blob: what it is, its digest, its exact size. */
export interface Descriptor {
  mediaType: string;
  /** `sha256:` and 64 hex digits. */
  digest: string;
  /** Bytes. */
  size: number;
}

/** A layer whose compressed bytes are in the blob cache and matched their digest. */
export interface LayerFile {
  path: string;
  mediaType: string;
  digest: string;
  /** Digest of the uncompressed tar, promised by the image's config; nobody has checked it yet. */
  diffId: string;
  /** Where its headers are kept once it has been read in full, if they are to be kept. */
  headersPath?: string | undefined;
}
