import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { pathExists, temporaryPathFor } from '#host/files.ts';
import { CommandError, lastLines } from '#host/run-command.ts';
import { UserError } from '#contract/errors.ts';
import { requireTools } from '#ext4/build-tools.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import type { WorkContext } from '../shared-work.ts';
import type { KernelRecipe } from '../kernel/kernel-recipes.ts';
import { Apt } from './apt.ts';
import { hostHasSuite, writeSources } from './kernel-sources.ts';
import { parseKernelDependency, type PackageFile } from './apt-output.ts';

export interface KernelPackage {
  name: string;
  version: string;
  debPath: string;
}

export interface KernelWish {
  metapackage: string;
  recipe: KernelRecipe;
  /** Fetch package lists in any case. */
  newest: boolean;
}

interface Candidate {
  apt: Apt;
  name: string;
  version: string;
  file: PackageFile;
}

const ACTION = 'fetch the kernel package';
const HINT = 'check the network and the Debian sources in /etc/apt, then run the command again';

/**
 * The newest kernel that a suite of Debian's archive offers under a metapackage, downloaded and checked against the hash
 * in the signed package lists. A file that an earlier run downloaded is used again.
 *
 * @throws UserError `KERNEL_FETCH_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`
 */
export async function fetchKernelPackage(
  wish: KernelWish,
  cacheDir: string,
  context: WorkContext,
): Promise<KernelPackage> {
  await requireTools(ACTION, 'apt-get', 'apt-cache');
  try {
    if (!(await hostHasSuite(wish.recipe))) return await fetchFromArchive(wish, cacheDir, context);
    return await fetchAsHost(wish, cacheDir, context);
  } catch (error) {
    context.signal.throwIfAborted();
    throw explainToolFailure(error, { action: ACTION, code: 'KERNEL_FETCH_FAILED', hint: HINT });
  }
}

/** The host's lists first: they cost nothing. Where they are missing or too old, lists of our own from the same sources. */
async function fetchAsHost(wish: KernelWish, cacheDir: string, context: WorkContext): Promise<KernelPackage> {
  const { metapackage, newest } = wish;
  context.report.detail('looking for the kernel package');
  try {
    const candidate = newest ? undefined : await findCandidate(Apt.ofHost(), metapackage, context.signal);
    if (candidate) return await obtain(candidate, debFolder(wish, cacheDir), context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
  }
  return fetchWithOwnLists(await Apt.withListsIn(`${cacheDir}/apt`), { wish, cacheDir }, context);
}

/** Of a suite that the host's sources need not have. */
async function fetchFromArchive(
  wish: KernelWish,
  cacheDir: string,
  context: WorkContext,
): Promise<KernelPackage> {
  const folder = `${cacheDir}/apt-${wish.recipe.suite}`;
  const apt = await Apt.withListsIn(folder, await writeSources(wish.recipe, folder));
  return fetchWithOwnLists(apt, { wish, cacheDir }, context);
}

async function fetchWithOwnLists(
  apt: Apt,
  { wish, cacheDir }: { wish: KernelWish; cacheDir: string },
  context: WorkContext,
): Promise<KernelPackage> {
  const { metapackage } = wish;
  context.report.detail('fetching package lists');
  const complaints = await apt.update(context.signal);
  const candidate = await findCandidate(apt, metapackage, context.signal).catch((error: unknown) => {
    context.signal.throwIfAborted();
    if (error instanceof CommandError) return undefined; // unknown package; said below
    throw error;
  });
  if (candidate) return obtain(candidate, debFolder(wish, cacheDir), context);
  const reason = /^[EW]: (.+)$/m.exec(complaints)?.[1] ?? 'no package source has it';
  throw new UserError('KERNEL_FETCH_FAILED', `Cannot ${ACTION} "${metapackage}": ${reason}`, {
    hint: HINT,
    details: { output: lastLines(complaints, 12) },
  });
}

async function findCandidate(
  apt: Apt,
  metapackage: string,
  signal: AbortSignal,
): Promise<Candidate | undefined> {
  const depends = await apt.findField(metapackage, 'Depends', signal);
  const name = depends && parseKernelDependency(depends);
  if (!name) return undefined;
  const version = await apt.findField(name, 'Version', signal);
  const file = await apt.findFile(name, signal);
  return version && file ? { apt, name, version, file } : undefined;
}

/** One for each suite, whose newest package it holds. */
function debFolder({ recipe }: KernelWish, cacheDir: string): string {
  return `${cacheDir}/debs/kernel-${recipe.suite}`;
}

async function obtain(candidate: Candidate, folder: string, context: WorkContext): Promise<KernelPackage> {
  const { name, version, file } = candidate;
  const debPath = `${folder}/${file.fileName}`;
  if (!((await pathExists(debPath)) && (await sha256Of(debPath)) === file.sha256)) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await download(candidate, debPath, context);
    await removeOthers(folder, file.fileName);
  }
  return { name, version, debPath };
}

async function download(
  { apt, name, file }: Candidate,
  debPath: string,
  context: WorkContext,
): Promise<void> {
  const { signal, report } = context;
  const folder = temporaryPathFor(debPath);
  await mkdir(folder, { mode: 0o700 });
  try {
    report.detail(`downloading ${name}`);
    const onPercent = (percent: number) =>
      report.progress(Math.round((file.bytes * percent) / 100), file.bytes, 'bytes');
    await apt.download(name, folder, { signal, onPercent });
    const path = `${folder}/${file.fileName}`;
    // apt has checked it; this binds the file to the very hash that the cache is looked up by.
    if ((await sha256Of(path)) !== file.sha256) throw hashMismatch(name);
    await rename(path, debPath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function hashMismatch(name: string): UserError {
  return new UserError('KERNEL_FETCH_FAILED', `Cannot ${ACTION} "${name}": the download has another hash`, {
    hint: 'run the command again',
  });
}

async function removeOthers(folder: string, keep: string): Promise<void> {
  const others = (await readdir(folder)).filter((name) => name !== keep);
  await Promise.all(others.map((name) => rm(`${folder}/${name}`, { recursive: true, force: true })));
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
