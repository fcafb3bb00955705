import type { Environment } from '#base/environment.ts';
import { Sink, type SinkStream } from './sink.ts';
import { styleFor, type Style } from './style.ts';

/** Our outputs. Node opens each when it is first asked for, which costs. */
export interface OutputStreams {
  readonly stdout: SinkStream;
  readonly stderr: SinkStream;
}

/** Everything that the CLI itself says: results on stdout, everything else on stderr. */
export class Output {
  readonly #streams: OutputStreams;
  readonly #env: Environment;
  #stdout: Sink | undefined;
  #stderr: Sink | undefined;

  constructor(streams: OutputStreams, env: Environment) {
    this.#streams = streams;
    this.#env = env;
  }

  get stdout(): Sink {
    this.#stdout ??= new Sink(this.#streams.stdout);
    return this.#stdout;
  }

  get stderr(): Sink {
    this.#stderr ??= new Sink(this.#streams.stderr);
    return this.#stderr;
  }

  /** For stdout. */
  get style(): Style {
    return styleFor(this.stdout, this.#env);
  }

  /** For stderr. */
  get noteStyle(): Style {
    return styleFor(this.stderr, this.#env);
  }

  /** One line of a result. */
  line(text: string): void {
    this.stdout.print(`${text}\n`);
  }

  /** A text that ends with a line break. */
  text(text: string): void {
    this.stdout.print(text);
  }

  /** One JSON document. */
  json(value: unknown): void {
    this.stdout.print(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One line that is not a result. */
  note(text: string): void {
    this.stderr.print(`${text}\n`);
  }

  async table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    const { formatTable } = await import('./table.ts');
    this.stdout.print(formatTable(head.map(this.style.dim), rows));
  }

  /** Resolves when everything is out, or cannot get out. */
  async flush(): Promise<void> {
    await Promise.all([this.#stdout?.flush(), this.#stderr?.flush()]);
  }
}
