import { builtInCatalog } from '#daemon/image/catalog/built-in-catalog.ts';
import { Catalogs } from '#daemon/image/catalog/catalogs.ts';
import type { Catalog } from '#daemon/image/catalog/entry.ts';
import type { Recipe } from '#daemon/image/recipes.ts';

/** The built-in catalog with other recipes for images. */
export function recipeCatalog(...recipes: Recipe[]): Catalog {
  const images = recipes.map((recipe) => {
    const { name, description } = recipe;
    return { kind: 'recipe' as const, name, description, catalog: 'built-in', recipe };
  });
  return { ...builtInCatalog('x86_64'), images };
}

/** Nothing else can be made by name. */
export function recipeCatalogs(...recipes: Recipe[]): Catalogs {
  return new Catalogs({ builtIn: recipeCatalog(...recipes) });
}
