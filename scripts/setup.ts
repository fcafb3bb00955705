// Run by setup.sh, with a Node that understands TypeScript. No npm package may be imported statically from
// here: they are not there yet.
import { resolve } from 'node:path';
import { buildParts } from './setup/build-parts.ts';
import { ensureDebianPackages } from './setup/debian-packages.ts';
import { ensureNpmPackages } from './setup/npm-packages.ts';
import { SetupError } from './setup/run-quietly.ts';
import { Stages } from './setup/stages.ts';
import type { SetupContext } from './setup/context.ts';

const assumeYes = process.env['BANGER_YES'] === '1' || process.getuid?.() === 0;
const context: SetupContext = {
  root: resolve(import.meta.dirname, '..'),
  readOnly: process.env['BANGER_SETUP_READ_ONLY'] === '1',
  assumeYes,
  forTests: process.argv[2] === 'tests' && assumeYes, // nobody is asked for what can do without
  stages: new Stages(process.stderr),
};

try {
  await ensureNpmPackages(context);
  if (process.argv[2] !== 'deps') {
    await ensureDebianPackages(context);
    await buildParts(context);
  }
} catch (error) {
  context.stages.fail();
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`banger: ${error.message}\n`);
  process.exitCode = 3;
}
