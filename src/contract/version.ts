/** Put in by the bundler; a run from the sources has none. */
declare const __BANGER_VERSION__: string | undefined;
declare const __BANGER_COMMIT__: string | undefined;
declare const __BANGER_BUILT_AT__: string | undefined;

export interface BuildInfo {
  version: string;
  /** Git commit, `unknown` outside a checkout, with `-dirty` when the tree differed from it. */
  commit: string;
  /** ISO 8601, UTC. */
  builtAt: string;
}

export const BUILD: BuildInfo = {
  version: typeof __BANGER_VERSION__ === 'string' ? __BANGER_VERSION__ : '0.0.0-source',
  commit: typeof __BANGER_COMMIT__ === 'string' ? __BANGER_COMMIT__ : 'unknown',
  builtAt: typeof __BANGER_BUILT_AT__ === 'string' ? __BANGER_BUILT_AT__ : 'unknown',
};

/** The HTTP API's path prefix; a new one is made only for a change that old clients cannot read. */
export const API_PREFIX = '/v1';

/**
 * Each request and each response names its build in this header, as `version (commit)`.
 * A client refuses to work with a daemon of another build: `DAEMON_VERSION_MISMATCH`.
 */
export const BUILD_HEADER = 'banger-build';

export function buildLabel(build: BuildInfo = BUILD): string {
  return `${build.version} (${build.commit})`;
}
