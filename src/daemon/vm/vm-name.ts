import { UserError } from '#contract/errors.ts';
import { VM_NAME_PATTERN } from '#contract/owner/vm.ts';

const ADJECTIVES = [
  'amber', 'bold', 'brisk', 'calm', 'clever', 'cosmic', 'crisp', 'dapper', 'eager', 'fleet', 'gentle', 'golden',
  'happy', 'hidden', 'jolly', 'keen', 'lively', 'lucid', 'mellow', 'misty', 'nimble', 'noble', 'plucky', 'polar',
  'proud', 'quick', 'quiet', 'rapid', 'rosy', 'royal', 'rustic', 'sharp', 'shy', 'silent', 'silver', 'sleek', 'solar',
  'steady', 'sunny', 'swift', 'tidy', 'vivid', 'warm', 'wild', 'wise', 'witty', 'young', 'zesty',
]; // prettier-ignore
const NOUNS = [
  'badger', 'beaver', 'bison', 'crane', 'dingo', 'eagle', 'falcon', 'ferret', 'finch', 'fox', 'gecko', 'gibbon',
  'heron', 'ibex', 'jackal', 'jaguar', 'koala', 'lark', 'lemur', 'lynx', 'magpie', 'marten', 'mole', 'moose', 'narwhal',
  'newt', 'ocelot', 'orca', 'osprey', 'otter', 'owl', 'panda', 'pelican', 'pika', 'puffin', 'quail', 'raven', 'robin',
  'seal', 'sparrow', 'stoat', 'swan', 'tapir', 'toucan', 'walrus', 'weasel', 'wombat', 'wren',
]; // prettier-ignore

/** `calm-otter`; with a number after it once the plain pairs are taken. */
export function generateVmName(
  isTaken: (name: string) => boolean,
  random: () => number = Math.random,
): string {
  for (let attempt = 0; ; attempt += 1) {
    const pair = `${pick(ADJECTIVES, random)}-${pick(NOUNS, random)}`;
    const name = attempt < 20 ? pair : `${pair}-${Math.floor(random() * 10_000)}`;
    if (!isTaken(name)) return name;
  }
}

/** @throws UserError `INVALID_NAME` */
export function checkVmName(name: string): void {
  if (VM_NAME_PATTERN.test(name)) return;
  throw new UserError('INVALID_NAME', `Cannot use "${name}" as a name: it is not a DNS label`, {
    hint: 'use 1 to 63 of a-z, 0-9 and hyphen, without a hyphen at either end',
  });
}

function pick(words: readonly string[], random: () => number): string {
  return words[Math.floor(random() * words.length)] as string;
}
