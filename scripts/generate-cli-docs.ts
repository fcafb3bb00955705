import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateCliDocumentation } from '../src/cli/documentation.ts';

/** Writes docs/cli.md from the commands. */
writeFileSync(join(import.meta.dirname, '../docs/cli.md'), await generateCliDocumentation());
