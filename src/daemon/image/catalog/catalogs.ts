import { isTimeout, raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { CatalogProblem } from '#contract/owner/image.ts';
import { familiarName } from '#oci/familiar-name.ts';
import type { CatalogPlace } from './catalog-place.ts';
import { combineCatalogs } from './combine-catalogs.ts';
import type { Catalog, ImageEntry, KernelEntry } from './entry.ts';

/** How long nobody minds waiting for servers. What comes later counts from then on. */
const PATIENCE_MS = 2000;
/** Each server has a time limit of its own, which is shorter. */
const LONG_PATIENCE_MS = 20_000;

export interface RefreshOptions extends Abortable {
  /** Nothing can be done before all have answered, or failed. */
  isNeeded?: boolean;
}

export interface CatalogsOptions {
  builtIn: Catalog;
  /** In the order in which they count. */
  places?: readonly CatalogPlace[];
}

/** What can be made by name: the catalog that comes with banger, and those that the configuration adds. */
export class Catalogs {
  readonly #options: CatalogsOptions;
  readonly #read = new Map<CatalogPlace, Catalog>();
  #combined: Catalog;
  #looking: Promise<void> | undefined;

  constructor(options: CatalogsOptions) {
    this.#options = options;
    this.#combined = combineCatalogs([options.builtIn]);
  }

  images(): readonly ImageEntry[] {
    return this.#combined.images;
  }

  kernels(): readonly KernelEntry[] {
    return this.#combined.kernels;
  }

  problems(): readonly CatalogProblem[] {
    return this.#combined.problems;
  }

  /** By its name, however that is spelled. */
  findImage(name: string): ImageEntry | undefined {
    const familiar = familiarName(name);
    return this.#combined.images.find((entry) => entry.name === familiar);
  }

  /** @throws UserError `CATALOG_INVALID` when a catalog has an entry of this name that cannot be used, and no other does */
  assertReadable(name: string): void {
    const found = this.#combined.problems.find(({ entry }) => entry === name || entry === familiarName(name));
    if (!found || this.findImage(name)) return;
    throw new UserError(
      'CATALOG_INVALID',
      `Cannot use the entry "${name}" of the catalog "${found.catalog}": ${found.problem}`,
      { hint: 'put it right there; banger doctor lists what is wrong with catalogs', details: { ...found } },
    );
  }

  /** At the daemon's start. A server that does not answer soon is waited for in the background. */
  async open(): Promise<void> {
    const { places = [] } = this.#options;
    const opened = await Promise.all(places.map((place) => place.open()));
    for (const [index, place] of places.entries()) {
      const catalog = opened[index];
      if (catalog) this.#read.set(place, catalog);
    }
    this.#combine();
    if (opened.every((catalog) => catalog !== undefined)) return;
    await this.refresh();
  }

  /** Looks at all of them again; what cannot be had is one of {@link problems}. @throws the signal's reason */
  async refresh({ signal, isNeeded = false }: RefreshOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const patience = withTimeout(isNeeded ? LONG_PATIENCE_MS : PATIENCE_MS, signal);
    await raceAbort(this.#look(), patience).catch((error: unknown) => {
      if (signal?.aborted || !isTimeout(error)) throw error;
    });
  }

  /** Whoever asks meanwhile gets the same answer. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    const { places = [] } = this.#options;
    const look = async (place: CatalogPlace) => {
      this.#read.set(place, await place.look({}));
      this.#combine();
    };
    await Promise.all(places.map(look));
  }

  #combine(): void {
    const { builtIn, places = [] } = this.#options;
    this.#combined = combineCatalogs([builtIn, ...places.flatMap((place) => this.#read.get(place) ?? [])]);
  }
}
