import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IMAGE_NAME_PATTERN } from './image.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const names = [
  'alpine',
  'ubuntu:24.04',
  'ghcr.io/acme/tool_x',
  'localhost:5000/a--b',
  `a/b@${digest}`,
  'Mine-1',
  'a'.repeat(255),
];
const others = [
  '',
  ' ',
  'a b',
  '-a',
  'a-',
  'a..b',
  '../a',
  'a//b',
  '/a',
  'a\n',
  '0123456789ab',
  'a'.repeat(256),
  'ü',
];

for (const name of names) {
  test(`"${name.slice(0, 40)}" is a name`, () => assert.match(name, IMAGE_NAME_PATTERN));
}
for (const text of others) {
  test(`${JSON.stringify(text.slice(0, 40))} is no name`, () =>
    assert.doesNotMatch(text, IMAGE_NAME_PATTERN));
}
