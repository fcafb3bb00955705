import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateOpenApi } from '../src/daemon/http/openapi.ts';

/** Writes docs/openapi.json from the routes. */
writeFileSync(join(import.meta.dirname, '../docs/openapi.json'), await generateOpenApi());
