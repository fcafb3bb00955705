import { UserError } from '#contract/errors.ts';
import type { IndexEntry, Platform } from './manifest.ts';

/** Node's names → the names in images. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** The variant that every processor of an architecture runs. */
const BASE_VARIANTS: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8' };

/** The architecture of this machine, as images name it. */
export function hostArchitecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}

/**
 * The manifest of an index that runs on Linux on this architecture. Where none says so, the first that does not say what it is for, as
 * podman does: its own configuration tells ({@link assertPlatform}).
 *
 * @throws UserError IMAGE_PLATFORM_MISSING that lists what there is
 */
export function choosePlatform(entries: readonly IndexEntry[], architecture: string): IndexEntry {
  const fitting = entries.filter(({ platform }) => platform && runsOn(platform, architecture));
  const plain = fitting.find(({ platform }) => platform?.variant === undefined);
  const chosen = plain ?? fitting[0] ?? entries.find(({ platform }) => platform === undefined);
  if (chosen) return chosen;
  throw platformMissing(
    architecture,
    entries.flatMap(({ platform }) => platform ?? []),
  );
}

/** @throws UserError IMAGE_PLATFORM_MISSING when an image without an index is for another machine */
export function assertPlatform(platform: Platform, architecture: string): void {
  if (!runsOn(platform, architecture)) throw platformMissing(architecture, [platform]);
}

function runsOn({ os, architecture, variant }: Platform, wanted: string): boolean {
  if (os !== 'linux' || architecture !== wanted) return false;
  return variant === undefined || variant === '' || variant === BASE_VARIANTS[wanted];
}

function platformMissing(architecture: string, available: readonly Platform[]): UserError {
  // Attestations stand in the index as manifests of the platform unknown/unknown.
  const names = new Set(available.filter(({ os }) => os !== 'unknown').map(formatPlatform));
  const list = [...names].toSorted().slice(0, 30);
  const there = list.length > 0 ? list.join(', ') : 'none';
  return new UserError(
    'IMAGE_PLATFORM_MISSING',
    `Cannot use the image: it is not made for linux/${architecture}, only for ${there}`,
    {
      hint: 'Choose another tag, or an image that is published for this architecture',
      details: { available: list },
    },
  );
}

function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/');
}
