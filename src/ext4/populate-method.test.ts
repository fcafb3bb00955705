import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePopulateMethod } from './populate-method.ts';

const choices = [
  { mke2fsVersion: '1.47.1', ownsEverything: false, expected: 'tar' },
  { mke2fsVersion: '1.47.2', ownsEverything: true, expected: 'tar' },
  { mke2fsVersion: '1.48', ownsEverything: false, expected: 'tar' },
  { mke2fsVersion: '2.0', ownsEverything: false, expected: 'tar' },
  { mke2fsVersion: '1.47.0', ownsEverything: true, expected: 'root' },
  { mke2fsVersion: '1.47', ownsEverything: false, expected: 'fakeroot' },
  { mke2fsVersion: '1.46.10', ownsEverything: false, expected: 'fakeroot' },
  { mke2fsVersion: '0', ownsEverything: true, expected: 'root' },
];

for (const { expected, ...abilities } of choices) {
  const who = abilities.ownsEverything ? 'root' : 'an ordinary user';
  test(`mke2fs ${abilities.mke2fsVersion} as ${who} takes the method "${expected}"`, () => {
    assert.equal(choosePopulateMethod(abilities), expected);
  });
}
