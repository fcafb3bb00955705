interface AllowedSkip {
  file: string;
  /** The reason that the test gives. */
  reason: RegExp;
}

const NEEDS_OTHER_ARCHITECTURE = /^the kernels of these tests are for x86_64$/;

/** What may be skipped in CI, where set-up installs what tests need; everything else has to run there. */
export const ALLOWED_SKIPS: readonly AllowedSkip[] = [
  // The runner gives its suites a temporary folder of their own; only a run of the file by itself has /tmp.
  { file: 'src/daemon/runtime-folders.test.ts', reason: /^needs \/tmp as temporary folder$/ },
  // Shells that few have: their packages are too much for a check of syntax.
  { file: 'test/integration/cli/completion.test.ts', reason: /^needs (zsh|fish)$/ },
  // Fixtures for one architecture.
  { file: 'test/integration/cli/kernels.test.ts', reason: NEEDS_OTHER_ARCHITECTURE },
  { file: 'test/integration/image/kernel-import.test.ts', reason: NEEDS_OTHER_ARCHITECTURE },
  // A clone below a private folder, as root's home is: no other user gets at it.
  { file: 'test/integration/setup/setup.test.ts', reason: /^needs \/.* to be open for everybody$/ },
  { file: 'test/integration/setup/debian-packages.test.ts', reason: /^needs \/.* to be open for everybody$/ },
  {
    file: 'test/integration/image/debian-image.test.ts',
    reason: /^needs a source folder that other users may read$/,
  },
  // Behind a proxy only the proxy knows the names of the outside.
  { file: 'test/machine/network.test.ts', reason: /^needs a host that resolves the name/ },
];

export function isSkipAllowed(file: string, reason: string): boolean {
  return ALLOWED_SKIPS.some((one) => one.file === file && one.reason.test(reason));
}
