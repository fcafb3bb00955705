import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import * as z from 'zod';
import { readFileIfThere } from '#host/files.ts';
import type { ReadyImage } from '../image-store.ts';
import type { PublicKey } from './public-key.ts';

/** Counted up when a seed of before does not do any more. */
const FORMAT = 1;
export const SEED_FILE = 'home.ext4';
export const RECORD_FILE = 'seed.json';

const recordSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** Of all that it was made of. */
  fingerprint: z.string(),
  imageId: z.string(),
  keyFingerprint: z.string().optional(),
  createdAt: z.iso.datetime(),
});

/** What is known of a work seed beside its files. */
export type SeedRecord = z.infer<typeof recordSchema>;

/** The same before there is a seed. */
export type ExpectedSeed = Omit<SeedRecord, 'createdAt'>;

/** What a seed of this image with this key has to say of itself. */
export async function expectedRecord(
  { record, rootDiskPath }: ReadyImage,
  key: PublicKey | undefined,
): Promise<ExpectedSeed> {
  // The file of a registered image is the user's, who may have put another one in its place.
  const { size, mtimeNs } = await stat(rootDiskPath, { bigint: true });
  const sources = [FORMAT, record.id, String(size), String(mtimeNs), key?.line ?? null];
  const fingerprint = createHash('sha256').update(JSON.stringify(sources)).digest('hex');
  const keyFingerprint = key?.fingerprint;
  return { format: FORMAT, fingerprint, imageId: record.id, ...(keyFingerprint && { keyFingerprint }) };
}

/** The name of its folder. */
export function seedIdOf({ fingerprint }: Pick<SeedRecord, 'fingerprint'>): string {
  return fingerprint.slice(0, 12);
}

/** Undefined: there is none, or none that is understood. */
export async function readSeedRecord(folder: string): Promise<SeedRecord | undefined> {
  const text = await readFileIfThere(`${folder}/${RECORD_FILE}`);
  try {
    return text === undefined ? undefined : recordSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
