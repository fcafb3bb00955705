import { GiB, MiB } from '#base/sizes.ts';

/** What the home folder of an image may cost; beyond it, it is refused. */
export interface HomeLimits {
  /** Files, folders and all else. */
  maxEntries: number;
  /** Bytes of all files, holes included. */
  maxBytes: number;
  /** Names, link targets and extended attributes that are held in memory. */
  maxMetadataBytes: number;
  /** Bytes of all folders themselves. */
  maxFolderBytes: number;
}

export const HOME_LIMITS: HomeLimits = {
  maxEntries: 200_000,
  maxBytes: 8 * GiB,
  maxMetadataBytes: 64 * MiB,
  maxFolderBytes: 256 * MiB,
};
