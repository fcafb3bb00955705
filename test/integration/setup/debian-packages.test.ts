import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { SmallClone } from '../../support/small-clone.ts';
import { NOBODY, otherUser, programsWithout } from './other-user.ts';

const PYTHON = '/usr/bin/python3';
const skip = existsSync(PYTHON) ? false : `needs ${PYTHON}, which makes the terminal`;
const TERMINAL = resolve(import.meta.dirname, '../cli/on-terminal.py');
const MISSING = ['passt', 'qemu-img'];
const INSTALL = 'apt-get install -y --no-install-recommends passt qemu-utils';
const WITH_SUDO = `\n  sudo apt-get update && sudo ${INSTALL}\n`;
const AS_ROOT = `as root with:\n  apt-get update && ${INSTALL}\n`;

/** A clone that an ordinary user owns, on a host without some programs; `sudo` is a script, or not there. */
class UsersClone extends SmallClone {
  readonly #path: string;

  constructor({ missing = MISSING, sudo }: { missing?: readonly string[]; sudo?: string }) {
    super();
    for (const path of ['.', '.runtime']) chownSync(join(this.folder, path), NOBODY, NOBODY);
    this.#path = programsWithout(this, [...missing, 'sudo']);
    if (sudo === undefined) return;
    writeFileSync(join(this.#path, 'sudo'), `#!/bin/sh\n${sudo}\n`);
    chmodSync(join(this.#path, 'sudo'), 0o755);
  }

  setUp(...args: string[]) {
    return this.launch({ args, uid: NOBODY, env: { PATH: this.#path } });
  }

  level(name: string) {
    const command = join(this.folder, 'scripts/setup.sh');
    return this.launch({ command, args: [name], uid: NOBODY, env: { PATH: this.#path } });
  }

  /** Answers the question on a terminal; the text may have escapes. */
  async answer(keys: string): Promise<{ status: number; screen: string }> {
    const child = spawn(PYTHON, [TERMINAL, join(this.folder, 'banger')], {
      env: { ...this.env, PATH: this.#path },
      stdio: ['pipe', 'pipe', 'inherit'],
      uid: NOBODY,
      gid: NOBODY,
    });
    let screen = '';
    let isAsked = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      if (isAsked || !screen.includes('[Y/n]')) return;
      isAsked = true;
      child.stdin.write(`type ${keys}\n`);
    });
    const [status] = (await once(child, 'close')) as [number];
    return { status, screen: screen.replaceAll('\r', '') };
  }
}

describe('missing Debian packages', otherUser(), () => {
  test('are named with the command, where nobody can be asked', async () => {
    using clone = new UsersClone({ sudo: 'exit 99' });
    const result = await clone.setUp();
    assert.equal(result.status, 3);
    assert.equal(result.stdout, '');
    assert.ok(result.stderr.includes(WITH_SUDO), result.stderr);
  });

  test(
    'are for root to install where there is no sudo, with --yes too, and nobody is asked',
    { skip },
    async () => {
      using clone = new UsersClone({});
      const silent = [await clone.setUp(), await clone.setUp('--yes')];
      for (const { status, stderr } of silent) {
        assert.equal(status, 3);
        assert.ok(stderr.endsWith(AS_ROOT), stderr);
      }
      const { status, screen } = await clone.answer('y\\r');
      assert.equal(status, 3);
      assert.ok(screen.includes(AS_ROOT) && !screen.includes('[Y/n]'), screen);
    },
  );

  for (const [what, keys] of [
    ['Ctrl-C', '\\x03'],
    ['Ctrl-D', '\\x04'],
    ['no', 'n\\r'],
  ] as const) {
    test(`are not installed after ${what}, and the command is told`, { skip }, async () => {
      using clone = new UsersClone({ sudo: 'echo called >&2; exit 99' });
      const { status, screen } = await clone.answer(keys);
      assert.equal(status, 3, screen);
      assert.match(screen, /\[Y\/n\] .*\nbanger: Cannot set up: Debian packages are missing/);
      assert.ok(screen.includes(WITH_SUDO), screen);
      assert.match(screen, /\[left cooked\]/);
    });
  }

  test('are installed after yes, and a sudo that refuses is told', { skip }, async () => {
    using clone = new UsersClone({ sudo: 'echo "not in the sudoers file" >&2; exit 1' });
    const { status, screen } = await clone.answer('y\\r');
    assert.equal(status, 3, screen);
    assert.match(screen, /banger: Cannot install the Debian packages\. Try:/);
    assert.match(screen, /not in the sudoers file/);
  });

  test('of a bench are wanted by a bench only', async () => {
    using clone = new UsersClone({ missing: ['busybox', 'docker-registry', 'skopeo', 'socat', 'umoci'] });
    const bench = await clone.level('bench');
    assert.equal(bench.status, 3);
    assert.match(bench.stderr, /install .* busybox-static docker-registry skopeo umoci socat\n$/);
    assert.equal((await clone.level('all')).status, 0);
  });
});
