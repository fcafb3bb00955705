import { openService } from './open-service.ts';
import { recipeCatalogs } from '../../support/recipe-catalog.ts';
import { tinyRecipe } from './tiny-recipe.ts';

// A program for tests that end a build from outside, or run it as another user: `build-tiny-image.ts FOLDER`.
process.umask(0o077);
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: build-tiny-image.ts FOLDER');
using opened = await openService(folder, { catalogs: recipeCatalogs(tinyRecipe) });
await opened.service.removeLeftovers();
const report = {
  detail: (text: string) => process.stdout.write(`${text}\n`),
  progress() {},
};
const { rootDiskPath } = await opened.service.ensureImage(tinyRecipe.name, { report });
process.stdout.write(`made ${rootDiskPath}\n`);
