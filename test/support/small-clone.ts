import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** Says what reached it, one word per line. */
export const ECHO_PROGRAM = "process.stdout.write(['hello', ...process.argv.slice(2)].join('\\n'));\n";

export interface LaunchResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface LaunchOptions {
  command?: string;
  args?: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
}

/** A clone of this repository with its launcher and set-up, the npm packages already there, and tiny sources. */
export class SmallClone implements Disposable {
  readonly #outer = mkdtempSync(join(tmpdir(), 'clone-'));
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(name = 'clone') {
    this.folder = join(this.#outer, name);
    this.env = { PATH: process.env['PATH'], HOME: join(this.#outer, 'home'), TMPDIR: tmpdir() };
    chmodSync(this.#outer, 0o755);
    mkdirSync(this.folder, { recursive: true });
    for (const path of ['banger', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json']) {
      cpSync(join(ROOT, path), join(this.folder, path), { recursive: true });
    }
    mkdirSync(join(this.folder, '.runtime'));
    symlinkSync(dirname(process.execPath), join(this.folder, '.runtime/bin'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    this.write('src/bin/banger.ts', ECHO_PROGRAM);
    this.write('src/bin/bangerd.ts', 'export {};\n');
    for (const path of [
      'src/sdk/index.ts',
      'src/contract/owner/vm.ts',
      'src/cli/output/table.ts',
      'src/host/local-machine.ts',
    ]) {
      this.write(path, 'export const some = 1;\n');
    }
    this.write('.gitignore', 'dist/\n.runtime/\nnode_modules\n');
    this.git('init', '--quiet');
    this.commit();
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  commit(): void {
    this.git('add', '--all');
    this.git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '--message', 'some');
  }

  git(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync('git', args, { cwd: this.folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  async launch(options: LaunchOptions = {}): Promise<LaunchResult> {
    const { command = join(this.folder, 'banger'), args = [], cwd = this.folder, uid } = options;
    const child = spawn(command, args, {
      cwd,
      env: { ...this.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    const result: LaunchResult = { status: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (result.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (result.stderr += text));
    [result.status] = (await once(child, 'close')) as [number | null];
    return result;
  }

  [Symbol.dispose](): void {
    rmSync(this.#outer, { recursive: true, force: true });
  }
}
