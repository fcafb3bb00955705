import * as z from 'zod';

/** What `qemu-img info --output=json` says of a disk that this driver made. */
const infoSchema = z.object({
  format: z.literal('qcow2'),
  'virtual-size': z.number().int().positive(),
  'full-backing-filename': z.string(),
  'backing-filename-format': z.literal('raw'),
  // An external data file would be another file of the host that the guest writes.
  'format-specific': z.object({
    data: z.object({ corrupt: z.literal(false), 'data-file': z.never().optional() }),
  }),
});

export interface ImageInfo {
  sizeBytes: number;
  basePath: string;
}

/** Undefined when it is something else, or QEMU has marked it as corrupt. */
export function parseImageInfo(json: string): ImageInfo | undefined {
  const parsed = infoSchema.safeParse(parseJson(json));
  if (!parsed.success) return undefined;
  return { sizeBytes: parsed.data['virtual-size'], basePath: parsed.data['full-backing-filename'] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not what qemu-img prints: the schema refuses it
  }
}
