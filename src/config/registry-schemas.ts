import * as z from 'zod';

const MAX_ITEMS = 32;
/** Without user and password: both would stand in every message. */
const CATALOG_URL =
  /^(?:https:\/\/[^\s/@]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?)(?:\/[^\s@]*)?$/;
const MIRROR = /^([A-Za-z0-9.-]+(?::\d{1,5})?)=(https?:\/\/\S+)$/;

const listSchema = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .refine((items) => items.length <= MAX_ITEMS, `takes at most ${MAX_ITEMS}`);

/** `docker.io=https://mirror.example/hub` → the URLs of each registry, in the order given. */
export const mirrorsSchema: z.ZodType<Record<string, string[]>> = listSchema.transform((items, context) => {
  const mirrors = new Map<string, string[]>();
  for (const item of items) {
    const [, registry = '', url = ''] = MIRROR.exec(item) ?? [];
    if (registry === '' || !URL.canParse(url)) {
      context.addIssue(`"${item}" is not REGISTRY=URL, such as "docker.io=https://mirror.example"`);
      return z.NEVER;
    }
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), url]);
  }
  return Object.fromEntries(mirrors);
});

/** Absolute paths of PEM files. */
export const certificateFilesSchema: z.ZodType<string[]> = listSchema.superRefine((paths, context) => {
  const relative = paths.find((path) => !path.startsWith('/'));
  if (relative !== undefined) context.addIssue(`"${relative}" is not an absolute path`);
});

/** Absolute paths and URLs of catalogs, which are encrypted unless they are on this machine. */
export const catalogsSchema: z.ZodType<string[]> = listSchema.superRefine((places, context) => {
  for (const place of places) {
    if (!place.startsWith('/') && !CATALOG_URL.test(place))
      context.addIssue(`"${place}" is neither an absolute path nor an https URL`);
    else if (!place.startsWith('/') && !URL.canParse(place)) context.addIssue(`"${place}" is no URL`);
  }
});
