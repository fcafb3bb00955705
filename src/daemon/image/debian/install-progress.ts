import type { ProgressReporter } from '#base/progress.ts';

const UNITS: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
/** `37.6 kB`, `1,210 kB` */
const AMOUNT = String.raw`([\d.,]+) (B|kB|MB|GB)`;
const FETCHED = new RegExp(String.raw`^Get:\d+ .*\[${AMOUNT}\]$`);
const TO_FETCH = new RegExp(`^Need to get ${AMOUNT}(?:/[\\d.,]+ \\w+)? of archives`);

/** Turns what mmdebstrap, apt and dpkg print into stages for people. */
export class InstallProgress {
  readonly #report: ProgressReporter;
  #phase: 'lists' | 'download' | 'install' = 'lists';
  #toFetchBytes: number | undefined;
  #fetchedBytes = 0;
  #toInstall = 0;
  #installed = 0;

  constructor(report: ProgressReporter) {
    this.#report = report;
  }

  /** @returns true when the line says that a package file was just asked for (so the one before is complete) */
  take(line: string): boolean {
    if (line.startsWith('I: ')) this.#takeStage(line.slice(3));
    this.#takeTotals(line);
    if (line.startsWith('Setting up ')) this.#countInstalled();
    const fetched = amountIn(FETCHED.exec(line));
    if (fetched === undefined || this.#phase === 'lists') return false;
    this.#countFetched(fetched);
    return true;
  }

  #takeStage(text: string): void {
    if (text.startsWith('running apt-get update')) this.#report.detail('fetching package lists');
    else if (text.startsWith('downloading packages')) this.#phase = 'download';
    else if (text.startsWith('extracting archives')) this.#report.detail('unpacking the base system');
    else if (text.startsWith('installing essential')) this.#beginInstall('installing the base system');
    else if (text.startsWith('cleaning package lists')) this.#report.detail('cleaning up');
    else if (text.startsWith('creating tarball')) this.#report.detail('packing the files');
  }

  #takeTotals(line: string): void {
    const toFetch = amountIn(TO_FETCH.exec(line));
    if (toFetch !== undefined) {
      this.#phase = 'download';
      this.#toFetchBytes = toFetch;
      this.#fetchedBytes = 0;
      this.#report.detail('downloading packages');
    }
    const install = /^\d+ upgraded, (\d+) newly installed/.exec(line);
    if (install) {
      this.#toInstall = Number(install[1]);
      this.#installed = 0;
    }
  }

  #beginInstall(text: string): void {
    this.#phase = 'install';
    this.#report.detail(text);
  }

  #countFetched(bytes: number): void {
    this.#fetchedBytes = Math.min(this.#fetchedBytes + bytes, this.#toFetchBytes ?? Number.POSITIVE_INFINITY);
    this.#report.progress(Math.round(this.#fetchedBytes), this.#toFetchBytes, 'bytes');
  }

  #countInstalled(): void {
    this.#installed += 1;
    const total = Math.max(this.#toInstall, this.#installed);
    this.#report.detail(`installing packages ${this.#installed}/${total}`);
    this.#report.progress(this.#installed, total, 'items');
  }
}

function amountIn(match: RegExpExecArray | null): number | undefined {
  if (!match) return undefined;
  const [, digits = '', unit = ''] = match;
  return Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN);
}
