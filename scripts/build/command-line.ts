// The command line as CommonJS: a loader, one file whose modules run when they are first needed, and beside it a few large
// ones that most commands do without. What is called most has a bundle without the other commands. Measured against ES modules with splitting, which Node resolves and links one by one: 0.85 times
// the CPU for `version`, 0.75 for `vm exec`.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type OutputFile, type Plugin } from 'esbuild';
import { OWN_BUNDLES } from './own-bundles.ts';

interface Part {
  /** Name of its file in dist/, without `.cjs`. */
  name: string;
  /** Modules that are this part, by the path that an import names. */
  filter: RegExp;
  entry: (root: string) => string;
}

const SCHEMAS = 'src/contract/owner';
const COMMAND_TREE = 'src/cli/commands/tree.ts';

const PARTS: readonly Part[] = [
  { name: 'schemas', filter: /contract\/owner\/[a-z]+\.ts$/, entry: reexportSchemas },
  {
    name: 'table',
    filter: /output\/table\.ts$/,
    entry: () => reexport('./src/cli/output/table.ts'),
  },
  { name: 'events', filter: /^eventsource-parser$/, entry: () => reexport('eventsource-parser') },
  // For commands that work without the daemon. What checks a configuration file is small, what it is made of is not.
  { name: 'zod', filter: /^zod$/, entry: () => reexport('zod') },
  {
    name: 'machine',
    filter: /host\/local-machine\.ts$/,
    entry: () => reexport('./src/host/local-machine.ts'),
  },
];

export async function buildCommandLine(root: string, options: BuildOptions): Promise<OutputFile[]> {
  const common: BuildOptions = {
    ...options,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: {},
    define: {
      ...options.define,
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
      'import.meta.url': '__filename',
    },
    supported: { 'dynamic-import': false }, // a part is required: the loader's code has no other way
    write: false,
  };
  const files = await Promise.all([
    build({ ...common, entryPoints: { banger: 'scripts/build/load-command-line.ts' } }),
    ...[undefined, ...OWN_BUNDLES].map((command) =>
      build({
        ...common,
        entryPoints: { [command ? `cli-${command}` : 'cli']: 'src/bin/banger.ts' },
        plugins: [partsElsewhere, ...(command ? [onlyCommand(command)] : []), ...(options.plugins ?? [])],
      }),
    ),
    ...PARTS.map(({ name, entry }) =>
      build({
        ...common,
        stdin: { contents: entry(root), resolveDir: root, loader: 'ts' },
        entryNames: name,
      }),
    ),
  ]);
  return files.flatMap(({ outputFiles }) => outputFiles ?? []);
}

/** Leaves the parts to files of their own. */
const partsElsewhere: Plugin = {
  name: 'parts-elsewhere',
  setup(builder) {
    for (const { name, filter } of PARTS) {
      builder.onResolve({ filter }, () => ({ path: `./${name}.cjs`, external: true }));
    }
  },
};

/** Leaves out what the others load: the loader takes this bundle for this one command. */
function onlyCommand(command: string): Plugin {
  const module = `./${command.replace('-', '/')}.ts`;
  return {
    name: 'only-command',
    setup(builder) {
      builder.onResolve({ filter: /^\.\/.*\.ts$/ }, ({ path, importer }) =>
        importer.endsWith(COMMAND_TREE) && path !== module
          ? { path: 'left out', namespace: 'left-out' }
          : undefined,
      );
      builder.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({
        contents: `throw new Error('this bundle has no command but ${command}');`,
        loader: 'js',
      }));
    },
  };
}

function reexportSchemas(root: string): string {
  const files = readdirSync(join(root, SCHEMAS)).filter((name) => /^[a-z]+\.ts$/.test(name));
  return files.map((name) => reexport(`./${SCHEMAS}/${name}`)).join('\n');
}

/** Relative to the root: esbuild does not find every odd absolute path. */
function reexport(module: string): string {
  return `export * from ${JSON.stringify(module)};`;
}
