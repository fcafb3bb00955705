import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { ROOT } from './repository.ts';

interface Rule {
  pattern: RegExp;
  problem: string;
}

/** Folders that every machine has, so that their names give nothing away. */
const STANDARD = /^\/((root|home|tmp|opt|srv|mnt|media|usr|var|etc|run)(\/(src|lib|tmp|local))?)?$/;

// The words are split so that this file does not object to itself.
const RULES: readonly Rule[] = [
  { pattern: new RegExp(`\\b(${['TO', 'DO|FIX', 'ME|X', 'XX'].join('')})\\b`), problem: 'left for later' },
  { pattern: /\b(test|it|describe|suite)\.only\(|\bonly: true\b/, problem: 'runs one test only' },
  {
    pattern: new RegExp(['registry\\.np', 'mjs|registry\\.yarn', 'pkg'].join('')),
    problem: 'names a registry',
  },
];

/** `machinePaths` are where this clone lies and who works on it; they are of no use to anybody else. */
export function findTextProblems(path: string, text: string, machinePaths = ownPaths()): string[] {
  const rules = [...RULES, ...machinePaths.filter((one) => !STANDARD.test(one)).map(toRule)];
  return text
    .split('\n')
    .flatMap((line, index) =>
      rules
        .filter(({ pattern }) => pattern.test(line))
        .map(({ problem }) => `${path}:${index + 1}: ${problem}: ${line.trim()}`),
    );
}

function ownPaths(): string[] {
  return [ROOT, dirname(ROOT), homedir()];
}

function toRule(path: string): Rule {
  return {
    pattern: new RegExp(`(?<![\\w.~})-])${RegExp.escape(path)}(?![\\w-])`),
    problem: 'a path of one machine',
  };
}
