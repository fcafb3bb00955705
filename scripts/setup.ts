// Run by setup.sh, with a Node that understands TypeScript. No npm package may be imported statically from
// here: they are not there yet.
import { resolve } from 'node:path';
import { buildParts } from './setup/build-parts.ts';
import { ensureDebianPackages } from './setup/debian-packages.ts';
import { ensureNpmPackages } from './setup/npm-packages.ts';
import { SetupError } from './setup/run-quietly.ts';
import { Stages } from './setup/stages.ts';
import type { Extras, SetupContext } from './setup/context.ts';

const level = process.argv[2];
const assumeYes = process.env['BANGER_YES'] === '1' || process.getuid?.() === 0;
const context: SetupContext = {
  root: resolve(import.meta.dirname, '..'),
  readOnly: process.env['BANGER_SETUP_READ_ONLY'] === '1',
  assumeYes,
  extras: extrasOf(level),
  stages: new Stages(process.stderr),
};

try {
  await ensureNpmPackages(context);
  if (level !== 'deps') {
    await ensureDebianPackages(context);
    await buildParts(context);
  }
} catch (error) {
  context.stages.fail();
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`banger: ${error.message}\n`);
  process.exitCode = 3;
}

function extrasOf(name: string | undefined): Extras {
  if (name === 'bench') return 'bench';
  // Tests that miss something are skipped, so nobody is asked for it.
  return name === 'tests' && assumeYes ? 'tests' : 'nothing';
}
