import { mkdir } from 'node:fs/promises';
import { CommandError, runCommand } from '#host/run-command.ts';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import { parseDownloadPercent, parseField, parsePrintUris, type PackageFile } from './apt-output.ts';

// Whatever the host's configuration allows: what is not signed by a key of its keyrings is not taken.
const STRICT = [
  'APT::Get::AllowUnauthenticated=false',
  'Acquire::AllowInsecureRepositories=false',
  'Acquire::AllowWeakRepositories=false',
  'Acquire::AllowDowngradeToInsecureRepositories=false',
  // As root apt would download as its own user, who cannot write to private folders.
  'APT::Sandbox::User=root',
  'Acquire::Retries=3',
  'Acquire::http::Timeout=30',
];

/** apt is silent about a file that the working folder has already. */
const NO_FILES_FOLDER = '/proc';

/** apt with the host's sources and keyrings, as whoever runs it. */
export class Apt {
  readonly #settings: readonly string[];

  private constructor(settings: readonly string[]) {
    this.#settings = [...STRICT, ...settings].flatMap((setting) => ['-o', setting]);
  }

  /** With the package lists that the host has, however old they are. */
  static ofHost(): Apt {
    return new Apt([]);
  }

  /** With package lists of its own below `folder`, which `update` fetches, from a file of sources or the host's. */
  static async withListsIn(folder: string, sourcesPath?: string): Promise<Apt> {
    await mkdir(`${folder}/lists/partial`, { recursive: true, mode: 0o700 });
    await mkdir(`${folder}/archives/partial`, { recursive: true, mode: 0o700 });
    return new Apt([
      `Dir::State=${folder}`,
      `Dir::State::lists=${folder}/lists`,
      `Dir::State::status=/dev/null`,
      `Dir::Cache=${folder}`,
      `Dir::Cache::archives=${folder}/archives`,
      ...(sourcesPath === undefined
        ? []
        : [`Dir::Etc::sourcelist=${sourcesPath}`, 'Dir::Etc::sourceparts=/dev/null']),
    ]);
  }

  /**
   * Fetches the package lists. One source that cannot be reached does not make the others useless, so this never fails
   * for that: the complaints are returned, for when the package is then not found.
   */
  async update(signal: AbortSignal): Promise<string> {
    try {
      const { stderr } = await this.#run('apt-get', ['-q', 'update'], { signal });
      return stderr.trim();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CommandError) return error.stderr;
      throw error;
    }
  }

  /** A field of the package's candidate version, undefined when the lists do not have the package. */
  async findField(packageName: string, field: string, signal: AbortSignal): Promise<string | undefined> {
    const { stdout } = await this.#run('apt-cache', ['show', '--no-all-versions', packageName], { signal });
    return parseField(stdout, field);
  }

  async findFile(packageName: string, signal: AbortSignal): Promise<PackageFile | undefined> {
    const options = { signal, cwd: NO_FILES_FOLDER };
    const { stdout } = await this.#run('apt-get', ['--print-uris', 'download', packageName], options);
    return parsePrintUris(stdout);
  }

  /** Into `folder`, under the archive's file name. */
  async download(
    packageName: string,
    folder: string,
    { signal, onPercent }: { signal: AbortSignal; onPercent: (percent: number) => void },
  ): Promise<void> {
    const onLine = (line: string) => {
      const percent = parseDownloadPercent(line);
      if (percent !== undefined) onPercent(percent);
    };
    await this.#run('apt-get', ['-o', 'APT::Status-Fd=2', 'download', packageName], {
      signal,
      cwd: folder,
      onLine,
    });
  }

  #run(
    program: 'apt-get' | 'apt-cache',
    args: readonly string[],
    options: { signal: AbortSignal; cwd?: string; onLine?: (line: string) => void },
  ) {
    return runCommand(program, [...this.#settings, ...args], {
      ...options,
      env: BUILD_ENVIRONMENT,
      proxies: true,
    });
  }
}
