import { pathToFileURL } from 'node:url';
import type * as z from 'zod';
import { messageOf } from '#base/errors.ts';
import { isUserError } from '#contract/errors.ts';
import type { CatalogProblem } from '#contract/owner/image.ts';
import { isSafeUrl } from '#oci/loopback.ts';
import { parseReference } from '#oci/reference.ts';
import type { Architecture } from '../architecture.ts';
import {
  catalogSchema,
  imageEntrySchema,
  kernelEntrySchema,
  type WrittenImageEntry,
  type WrittenKernelEntry,
} from './catalog-schema.ts';
import type { Catalog, ImageEntry, KernelEntry } from './entry.ts';

export interface CatalogContext {
  /** Where it stands: an absolute path, a URL, or `built-in`. */
  source: string;
  architecture: Architecture['name'];
}

/** Reads a catalog. What is wrong in it is left out and named; entries for other architectures are left out without a word. */
export function parseCatalog(text: string, context: CatalogContext): Catalog {
  const problems: CatalogProblem[] = [];
  const complain = (problem: string, entry?: string) =>
    problems.push({
      catalog: context.source,
      ...(entry !== undefined && { entry }),
      problem,
      isStale: false,
    });
  const frame = catalogSchema.safeParse(parseJson(text, complain));
  if (!frame.success) {
    if (problems.length === 0) complain(explain(frame.error));
    return { images: [], kernels: [], problems };
  }
  const { images, kernels } = frame.data;
  const readers = { context, complain };
  return {
    images: images.flatMap((entry, index) =>
      readEntry(entry, {
        ...readers,
        place: `images[${index}]`,
        schema: imageEntrySchema,
        build: toImageEntry,
      }),
    ),
    kernels: kernels.flatMap((entry, index) =>
      readEntry(entry, {
        ...readers,
        place: `kernels[${index}]`,
        schema: kernelEntrySchema,
        build: toKernelEntry,
      }),
    ),
    problems,
  };
}

interface EntryReader<Written, Entry> {
  context: CatalogContext;
  complain: (problem: string, entry: string) => void;
  /** What it is called where it has no name. */
  place: string;
  schema: z.ZodType<Written>;
  build: (written: Written, context: CatalogContext) => Entry;
}

function readEntry<Written extends { architectures: readonly string[] }, Entry>(
  entry: unknown,
  { context, complain, place, schema, build }: EntryReader<Written, Entry>,
): Entry[] {
  const result = schema.safeParse(entry);
  if (!result.success) {
    complain(explain(result.error), nameOf(entry) ?? place);
    return [];
  }
  if (!result.data.architectures.includes(context.architecture)) return [];
  try {
    return [build(result.data, context)];
  } catch (error) {
    if (!(error instanceof EntryError)) throw error;
    complain(error.message, nameOf(entry) ?? place);
    return [];
  }
}

/** An entry that is well written and cannot be used all the same. */
class EntryError extends Error {}

function toImageEntry(entry: WrittenImageEntry, context: CatalogContext): ImageEntry {
  const { name, description } = entry;
  const facts = { name, description, catalog: context.source };
  if (entry.kind === 'oci') {
    assertReference(entry.reference);
    return { ...facts, kind: 'oci', reference: entry.reference, sizeBytes: entry.sizeBytes };
  }
  if (entry.kind === 'bundle') {
    const { sha256, bytes, sizeBytes } = entry;
    return { ...facts, kind: 'bundle', url: resolveUrl(entry.url, context), sha256, bytes, sizeBytes };
  }
  const { suite, keyring, packages, sizeBytes } = entry;
  const recipe = { name, description, suite, variant: 'minbase', keyring, packages, sizeBytes } as const;
  return { ...facts, kind: 'recipe', recipe };
}

function toKernelEntry(entry: WrittenKernelEntry, { source }: CatalogContext): KernelEntry {
  const { name, description, suite, keyring, approximateBytes } = entry;
  return { name, description, distribution: 'Debian', suite, keyring, approximateBytes, catalog: source };
}

function assertReference(text: string): void {
  try {
    parseReference(text);
  } catch (error) {
    if (!isUserError(error, 'IMAGE_REFERENCE_INVALID')) throw error;
    throw new EntryError(`its reference "${text}" is none`);
  }
}

/** A catalog from the network never leads to a file of this machine. */
function resolveUrl(text: string, { source }: CatalogContext): URL {
  const isFile = source.startsWith('/');
  const url = URL.parse(text, isFile ? pathToFileURL(source) : source);
  if (!url) throw new EntryError(`its url "${text}" is none`);
  if (url.username !== '' || url.password !== '') throw new EntryError('its url has a password in it');
  if (url.protocol === 'file:' && isFile && url.host === '') return url;
  if (isSafeUrl(url, { allowPlainLoopback: true })) return url;
  throw new EntryError(`its url "${url.href}" is not encrypted`);
}

function parseJson(text: string, complain: (problem: string) => void): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    complain(`it is no JSON: ${messageOf(error)}`);
    return undefined;
  }
}

function nameOf(entry: unknown): string | undefined {
  const name = typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : undefined;
  return typeof name === 'string' && /^\P{C}{1,255}$/u.test(name) ? name : undefined;
}

/** The first issue says enough: it is put right, and then the next one shows. */
function explain({ issues: [issue] }: z.ZodError): string {
  if (!issue) return 'it cannot be used';
  const path = issue.path.join('.');
  return path === '' ? issue.message : `"${path}" ${issue.message}`;
}
