import { mkdir, rm } from 'node:fs/promises';
import type { Logger } from '#base/log.ts';
import { messageOf } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import { hasTool, requireTools } from '#ext4/build-tools.ts';
import { findContainment, runContained, type Containment } from '#ext4/containment.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { pathExists } from '#host/files.ts';
import type { ImageBuilder } from '../builders.ts';
import type { Recipe } from '../recipes.ts';
import type { WorkContext } from '../shared-work.ts';
import { writeBuildHooks } from './build-hooks.ts';
import { InstallProgress } from './install-progress.ts';
import { mmdebstrapArguments } from './mmdebstrap-arguments.ts';
import { PackageCache } from './package-cache.ts';

const JOURNAL_MIB = 32;
const KEPT_LINES = 200;

interface BuildMode {
  containment: Containment;
  mode: 'root' | 'fakechroot';
  prefix: readonly string[];
}

/** Builds recipes with mmdebstrap, as root or as an ordinary user. */
export class DebianImageBuilder implements ImageBuilder {
  readonly #cacheDir: string;
  readonly #log: Logger;

  constructor(options: { cacheDir: string; log: Logger }) {
    this.#cacheDir = options.cacheDir;
    this.#log = options.log;
  }

  async build(recipe: Recipe, folder: string, context: WorkContext): Promise<void> {
    const { signal, report } = context;
    const action = `build the image "${recipe.name}"`;
    await requireTools(action, 'mmdebstrap', 'setpriv', 'apt-get', 'mke2fs');
    await requireKeyring(action, recipe);
    const buildMode = await chooseBuildMode(action, signal);
    this.#log.info({ recipe: recipe.name, ...buildMode }, 'building an image');
    const tarPath = `${folder}/rootfs.tar`;
    await this.#bootstrap({ recipe, folder, tarPath, action }, buildMode, context);
    report.detail('making the file system');
    await makeFilesystem(
      {
        path: `${folder}/rootfs.ext4`,
        label: 'banger-root',
        sizeBytes: recipe.sizeBytes,
        journalMiB: JOURNAL_MIB,
        source: { tar: tarPath },
        workFolder: folder,
      },
      { signal },
    );
    await rm(tarPath);
  }

  async #bootstrap(
    build: { recipe: Recipe; folder: string; tarPath: string; action: string },
    { containment, mode, prefix }: BuildMode,
    { signal, report }: WorkContext,
  ): Promise<void> {
    const { recipe, folder, tarPath, action } = build;
    const hooksFolder = `${folder}/hooks`;
    const temporaryFolder = `${folder}/tmp`;
    const keysFolder = `${folder}/keys`;
    const cache = new PackageCache(`${this.#cacheDir}/debs/${recipe.suite}`);
    await cache.prepare();
    await mkdir(temporaryFolder, { mode: 0o755 });
    await mkdir(keysFolder, { mode: 0o755 });
    await writeBuildHooks(recipe, hooksFolder);
    const paths = { tarPath, hooksFolder, keysFolder };
    const progress = new InstallProgress(report);
    const output = new OutputWatch(progress, () => cache.collect(temporaryFolder));
    const command = [...prefix, 'mmdebstrap', ...mmdebstrapArguments(recipe, mode, paths)];
    const env = { TMPDIR: temporaryFolder, BANGER_DEBS: cache.folder, BANGER_IMAGE: recipe.name };
    try {
      await runContained(containment, command, {
        signal,
        env,
        proxies: true,
        onLine: (line) => output.take(line),
      });
    } catch (error) {
      signal.throwIfAborted();
      const hint = 'check the network and run the command again; what was downloaded is kept';
      throw explainToolFailure(error, { action, code: 'IMAGE_BUILD_FAILED', hint, output: output.tail() });
    } finally {
      await output.settled((error) =>
        this.#log.warn({ error: messageOf(error) }, 'cannot keep package files'),
      );
      await rm(hooksFolder, { recursive: true });
    }
    await rm(temporaryFolder, { recursive: true });
    await rm(keysFolder, { recursive: true });
  }
}

/** Follows a build's output: progress, the last lines for a failure, and when to look for finished downloads. */
class OutputWatch {
  readonly #progress: InstallProgress;
  readonly #collect: () => Promise<void>;
  readonly #lines: string[] = [];
  #collecting: Promise<void> | undefined;
  #failure: unknown;

  constructor(progress: InstallProgress, collect: () => Promise<void>) {
    this.#progress = progress;
    this.#collect = collect;
  }

  take(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    if (!this.#progress.take(line) && !line.startsWith('Fetched ')) return;
    this.#collecting ??= this.#collect()
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#collecting = undefined;
      });
  }

  tail(): string {
    return this.#lines.join('\n');
  }

  /** Not being able to keep downloads never fails a build. */
  async settled(onFailure: (error: unknown) => void): Promise<void> {
    await this.#collecting;
    if (this.#failure !== undefined) onFailure(this.#failure);
  }
}

async function requireKeyring(action: string, { keyring }: Recipe): Promise<void> {
  if (keyring === undefined || (await pathExists(keyring))) return;
  throw new UserError('HOST_TOOL_MISSING', `Cannot ${action}: this host has no "${keyring}"`, {
    hint: 'sudo apt-get install debian-archive-keyring',
  });
}

async function chooseBuildMode(action: string, signal: AbortSignal): Promise<BuildMode> {
  const containment = await findContainment({ signal });
  if (containment !== 'none' || process.getuid?.() === 0) return { containment, mode: 'root', prefix: [] };
  if ((await hasTool('fakechroot')) && (await hasTool('fakeroot'))) {
    return { containment, mode: 'fakechroot', prefix: ['fakechroot', 'fakeroot'] };
  }
  await requireTools(action, 'newuidmap');
  throw new UserError(
    'HOST_TOOL_MISSING',
    `Cannot ${action} as an ordinary user: user namespaces are not usable`,
    {
      hint:
        'give this user subordinate ids (sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER), ' +
        'or sudo apt-get install fakechroot',
    },
  );
}
