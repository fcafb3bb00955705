// usage: npm run fuzz [-- SECONDS [SEED]]
//
// Merges random layers and checks what comes of it. Prints the seed; the same seed makes the same layers.
import { randomInt } from 'node:crypto';
import { fuzzLayers } from './fuzz-layers.ts';

const [seconds = '60', given = String(randomInt(2 ** 30))] = process.argv.slice(2);
process.stdout.write(`seed ${given}\n`);
const { merged, refused, entries } = await fuzzLayers({ seed: Number(given), forMs: Number(seconds) * 1000 });
process.stdout.write(`${merged} merged with ${entries} entries, ${refused} refused\n`);
