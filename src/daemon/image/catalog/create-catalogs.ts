import { builtInCatalog } from './built-in-catalog.ts';
import { createCatalogPlace, type CatalogPlaceOptions } from './catalog-place.ts';
import { Catalogs } from './catalogs.ts';
import type { Catalog } from './entry.ts';

export interface CreateCatalogsOptions extends CatalogPlaceOptions {
  /** Absolute paths and URLs, as the configuration has them. */
  sources: readonly string[];
  /** The one that comes with banger, unless told. */
  builtIn?: Catalog;
}

/** All catalogs of this daemon; what is configured counts from {@link Catalogs.open} on. */
export function createCatalogs({ sources, builtIn, ...options }: CreateCatalogsOptions): Catalogs {
  return new Catalogs({
    builtIn: builtIn ?? builtInCatalog(options.architecture),
    places: [...new Set(sources)].map((source) => createCatalogPlace(source, options)),
  });
}
