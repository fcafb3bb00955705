import * as z from 'zod';
import { parseDuration } from '#base/durations.ts';
import { GiB, MiB, parseSize } from '#base/sizes.ts';

const MAX_RESOLVERS = 3;
const MAX_DISK_BYTES = 2 ** 44;

export interface DurationBounds {
  min: string;
  max: string;
  /** `0` says never. */
  zeroIsOff?: boolean;
}

/** `90s`, `1m30s` → milliseconds. */
export function durationSchema({ min, max, zeroIsOff = false }: DurationBounds): z.ZodType<number> {
  const [minMs = 0, maxMs = 0] = [parseDuration(min), parseDuration(max)];
  return z.string().transform((text, context) => {
    const milliseconds = parseDuration(text);
    if (milliseconds === 0 && zeroIsOff) return milliseconds;
    if (milliseconds === undefined) context.addIssue(`"${text}" is not a duration such as "90s"`);
    else if (milliseconds < minMs || milliseconds > maxMs) {
      context.addIssue(`"${text}" is not between ${min} and ${max}${zeroIsOff ? ', nor "0" for never' : ''}`);
    } else return milliseconds;
    return z.NEVER;
  });
}

/** `8G` → bytes, whole sectors. */
export const diskSizeSchema: z.ZodType<number> = z.string().transform((text, context) => {
  const bytes = /^\d+$/.test(text) ? undefined : parseSize(text);
  if (bytes === undefined) context.addIssue(`"${text}" is not a size with a unit such as "8G"`);
  else if (bytes < MiB || bytes > MAX_DISK_BYTES || bytes % 512 !== 0) {
    context.addIssue(
      `"${text}" is not between 1M and ${MAX_DISK_BYTES / GiB}G in whole sectors of 512 bytes`,
    );
  } else return bytes;
  return z.NEVER;
});

const resolverSchema = z.ipv4('is not an IPv4 address').refine((address) => !/^(?:127|0)\./.test(address), {
  message: 'is not an address that a guest can reach',
});

/** One address or a list of them. */
export const resolversSchema: z.ZodType<string[]> = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .superRefine((addresses, context) => {
    if (addresses.length < 1 || addresses.length > MAX_RESOLVERS)
      context.addIssue(`takes 1 to ${MAX_RESOLVERS} addresses`);
    for (const address of addresses) {
      const { error } = resolverSchema.safeParse(address);
      if (error) context.addIssue(`"${address}" ${error.issues[0]?.message}`);
    }
  });
