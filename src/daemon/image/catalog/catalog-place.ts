import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import type { CatalogProblem } from '#contract/owner/image.ts';
import type { Proxy } from '#oci/proxy.ts';
import { CatalogUnavailable, readCatalogFile, RemoteCatalog } from './catalog-source.ts';
import type { Catalog } from './entry.ts';
import { parseCatalog, type CatalogContext } from './parse-catalog.ts';

/** A server is not asked again so soon. */
const FRESH_MS = 15 * 60_000;
const RETRY_MS = 60_000;

/** One place that the configuration names. */
export interface CatalogPlace {
  /** Without waiting for a server. */
  open(): Promise<Catalog | undefined>;
  /** As it is now. */
  look(options: Abortable): Promise<Catalog>;
}

export interface CatalogPlaceOptions extends Pick<CatalogContext, 'architecture'> {
  cacheFolder: string;
  certificateFiles: readonly string[];
  proxy?: Proxy | undefined;
  clock: Clock;
}

/** @param source an absolute path or a URL */
export function createCatalogPlace(source: string, options: CatalogPlaceOptions): CatalogPlace {
  const context = { source, architecture: options.architecture };
  return source.startsWith('/') ? new FilePlace(context) : new RemotePlace(context, options);
}

/** A file, read whenever somebody asks. */
class FilePlace implements CatalogPlace {
  readonly #context: CatalogContext;

  constructor(context: CatalogContext) {
    this.#context = context;
  }

  open(): Promise<Catalog> {
    return this.look();
  }

  async look(): Promise<Catalog> {
    try {
      return parseCatalog(await readCatalogFile(this.#context.source), this.#context);
    } catch (error) {
      if (!(error instanceof CatalogUnavailable)) throw error;
      return nothing(this.#context, error);
    }
  }
}

/** What a server has, and the copy of it for when it has not. */
class RemotePlace implements CatalogPlace {
  readonly #context: CatalogContext;
  readonly #remote: RemoteCatalog;
  readonly #clock: Clock;
  #last: Catalog | undefined;
  #nextLookMs = 0;
  #current: Catalog | undefined;

  constructor(context: CatalogContext, options: CatalogPlaceOptions) {
    const { cacheFolder, certificateFiles, proxy, clock } = options;
    this.#context = context;
    this.#remote = new RemoteCatalog({ url: context.source, cacheFolder, certificateFiles, proxy });
    this.#clock = clock;
  }

  async open(): Promise<Catalog | undefined> {
    const copy = await this.#remote.lastCopy();
    if (copy === undefined) return undefined;
    this.#last = parseCatalog(copy, this.#context);
    return this.#last;
  }

  async look({ signal }: Abortable): Promise<Catalog> {
    if (this.#current && this.#clock.now() < this.#nextLookMs) return this.#current;
    try {
      this.#current = await this.#fetch({ signal });
      this.#nextLookMs = this.#clock.now() + FRESH_MS;
    } catch (error) {
      if (!(error instanceof CatalogUnavailable)) throw error;
      this.#current = this.#last ? stale(this.#last, this.#context, error) : nothing(this.#context, error);
      this.#nextLookMs = this.#clock.now() + RETRY_MS;
    }
    return this.#current;
  }

  /** A page that is no catalog never takes the place of one. */
  async #fetch(options: Abortable): Promise<Catalog> {
    const text = await this.#remote.fetch(options);
    const catalog = parseCatalog(text, this.#context);
    const whole = catalog.problems.find(({ entry }) => entry === undefined);
    if (whole) throw new CatalogUnavailable(whole.problem);
    await this.#remote.keep(text);
    this.#last = catalog;
    return catalog;
  }
}

function nothing(context: CatalogContext, error: CatalogUnavailable): Catalog {
  return { images: [], kernels: [], problems: [problemOf(context, error, false)] };
}

function stale(last: Catalog, context: CatalogContext, error: CatalogUnavailable): Catalog {
  return { ...last, problems: [...last.problems, problemOf(context, error, true)] };
}

function problemOf({ source }: CatalogContext, { message }: Error, isStale: boolean): CatalogProblem {
  return { catalog: source, problem: message, isStale };
}
