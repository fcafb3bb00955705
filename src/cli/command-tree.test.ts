import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyCommand, everyGroup, locate } from './command-tree.ts';
import { commandTree } from './commands/tree.ts';

const describe = (...words: string[]) => {
  const { kind, path, rest } = locate(commandTree, words);
  return `${kind} ${path.join(' ')} | ${rest.join(' ')}`;
};

test('words lead to commands, groups and aliases', () => {
  assert.equal(describe('vm', 'stop', 'a', '--timeout', '3s'), 'command vm stop | a --timeout 3s');
  assert.equal(describe('vm', 'ls'), 'command vm list | ');
  assert.equal(describe('vm', 'rm', '-f', 'a'), 'command vm delete | -f a');
  assert.equal(describe('vm'), 'group vm | ');
  assert.equal(describe(), 'group  | ');
  assert.equal(describe('vm', 'lst'), 'group vm | lst');
  assert.equal(describe('vm', '--help'), 'group vm | --help');
});

test('names of object members are no commands', () => {
  assert.equal(describe('constructor'), 'group  | constructor');
  assert.equal(describe('vm', 'toString'), 'group vm | toString');
});

test('every command loads and says in one line what it does', async () => {
  const commands = [...everyCommand(commandTree)];
  assert.ok(commands.length >= 17);
  for (const { path, entry } of commands) {
    const command = await entry.load();
    assert.match(command.brief, /^[A-Z][^.\n]{5,70}$/, path.join(' '));
    const description = command.fullDescription ?? '';
    assert.match(
      description,
      new RegExp(`^  .*banger ${path.join(' ')}`, 'm'),
      `an example of ${path.join(' ')}`,
    );
  }
});

test('every group has its examples', () => {
  for (const { path, group } of everyGroup(commandTree)) {
    assert.match(group.description, /^  banger /m, path.join(' '));
  }
});

test('help is plain ASCII', async () => {
  const { generateCliDocumentation } = await import('./documentation.ts');
  const [, help = ''] = (await generateCliDocumentation()).split('## Commands');
  // oxlint-disable-next-line no-control-regex -- that is what ASCII is
  assert.match(help, /^[\x00-\x7f]+$/);
});
