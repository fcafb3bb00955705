import { GiB, MiB } from '#base/sizes.ts';

/** What the layers of one image may cost, together; beyond it the image is refused. */
export interface LayerLimits {
  /** Members of all layers, and the folders they imply. */
  maxEntries: number;
  /** Uncompressed bytes of all layers. */
  maxBytes: number;
  /** Names, link targets and extended attributes that are held in memory. */
  maxMetadataBytes: number;
  /** Uncompressed bytes for each compressed byte, once a layer has grown beyond `ratioFreeBytes`. */
  maxRatio: number;
  ratioFreeBytes: number;
}

// deflate cannot do better than 1032, and software that somebody installed does not come near 250.
export const LAYER_LIMITS: LayerLimits = {
  maxEntries: 999_999,
  maxBytes: 64 * GiB,
  maxMetadataBytes: 128 * MiB,
  maxRatio: 250,
  ratioFreeBytes: 256 * MiB,
};

/** The longest path that Linux takes, without the NUL at its end. */
export const MAX_PATH_BYTES = 4095;
/** The longest name that ext4 takes. */
export const MAX_NAME_BYTES = 255;
/** Long names, attributes and so on that are read into memory before a member: all its extended headers together. */
export const MAX_EXTENSION_BYTES = MiB;
/** Extended headers before a member. GNU tar writes two, pax one, and git one for the whole tar. */
export const MAX_EXTENSIONS = 16;
/** Extended attributes of a file. ext4 keeps them in a block of 4 KiB: 203 that have a name of one letter and no value fill it. */
export const MAX_ATTRIBUTES = 256;
