import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMachineHome } from '../support/artifacts.ts';
import { runProcess } from '../support/run-process.ts';
import { CLI_PATH, REPOSITORY, type TestHome } from '../support/test-home.ts';

interface Example {
  command: string;
  output: string;
}

const examples = parseExamples(await readFile(join(REPOSITORY, 'README.md'), 'utf8'));

describe('the tour of the README', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
    const bin = join(home.root, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'banger'), `#!/bin/sh\nexec "${process.execPath}" "${CLI_PATH}" "$@"\n`);
    await chmod(join(bin, 'banger'), 0o755);
    home.env['PATH'] = `${bin}:${home.env['PATH']}`;
  });
  after(() => home[Symbol.asyncDispose]());

  it('has examples', () => assert.ok(examples.length >= 8));

  for (const { command, output } of examples) {
    it(command, async () => {
      const { text } = await runProcess('sh', ['-c', command], { env: home.env });
      assert.match(text.trimEnd(), toPattern(output), `printed:\n${text}\ninstead of:\n${output}`);
    });
  }
});

/** The commands of the `console` blocks, each with the lines that follow it. */
function parseExamples(markdown: string): Example[] {
  const blocks = [...markdown.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, body]) => body ?? '');
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...output] = part.trimEnd().split('\n');
        return { command, output: output.join('\n') };
      }),
  );
}

/** `…` stands for anything on its line, runs of blanks for any. */
function toPattern(output: string): RegExp {
  const source = output
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/[ \t]+/g, '[ \\t]+')
    .replaceAll('…', '.*');
  return new RegExp(`^${source}$`);
}
