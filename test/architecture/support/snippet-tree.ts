import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './repository.ts';

const FOLDERS = [
  ...['base', 'bin', 'cli', 'config', 'contract', 'daemon', 'disk', 'dns', 'ext4', 'guest', 'host'],
  ...['hypervisor', 'network', 'oci', 'privileged', 'sdk', 'store'],
];

/** A repository with this one's configuration and other sources, to see its checks fail. */
export class SnippetTree implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'snippets-'));

  constructor(files: ReadonlyMap<string, string>) {
    for (const name of ['.dependency-cruiser.mjs', '.oxlintrc.json', 'tsconfig.json']) {
      cpSync(join(ROOT, name), join(this.folder, name));
    }
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
    const imports = Object.fromEntries(FOLDERS.map((name) => [`#${name}/*`, `./src/${name}/*`]));
    this.#write('package.json', JSON.stringify({ ...manifest, imports }));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    for (const [path, text] of files) this.#write(path, text);
  }

  #write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
