// Which folder may import what. Deny by default: an import that no row allows is an error, and so is any
// import in a folder without a row. test/architecture/ proves that each rule fails on a violation.

/** Folder of src/ → the other folders of src/ and the npm packages that it may import. */
const LAYERS = {
  base: { folders: [], packages: [] },
  contract: { folders: ['base'], packages: ['zod'] },
  config: { folders: ['base', 'contract'], packages: ['smol-toml', 'zod'] },
  host: { folders: ['base'], packages: ['execa', 'zod'] },
  sdk: { folders: ['base', 'contract'], packages: ['eventsource-parser', 'zod'] },
  cli: { folders: ['base', 'config', 'contract', 'sdk'], packages: ['@stricli/core', 'zod'] },
  store: { folders: ['base', 'contract', 'host'], packages: ['zod'] },
  ext4: { folders: ['base', 'contract', 'host'], packages: ['zod'] },
  oci: { folders: ['base', 'contract', 'host'], packages: ['zod'] },
  dns: { folders: ['base', 'contract', 'host'], packages: ['dns-packet', 'zod'] },
  hypervisor: { folders: ['base', 'contract', 'host'], packages: ['zod'] },
  disk: { folders: ['base', 'contract', 'host', 'ext4'], packages: ['zod'] },
  guest: { folders: ['base', 'contract', 'host'], packages: ['zod'] },
  network: { folders: ['base', 'contract', 'host'], packages: ['zod'] },
  // of contract only its top files and root/, see the forbidden rules
  privileged: { folders: ['base', 'contract', 'host'], packages: ['zod'] },
  daemon: {
    folders: [
      ...['base', 'config', 'contract', 'host', 'sdk', 'store', 'ext4', 'oci', 'dns'],
      ...['hypervisor', 'disk', 'guest', 'network', 'privileged'],
    ],
    packages: ['@fastify/swagger', 'fastify', 'fastify-type-provider-zod', 'pino', 'zod'],
  },
  bin: { folders: ['base', 'contract', 'host'], packages: [] },
};

/** Entry points reach their composition root, and nothing of the others'. */
const BINS = {
  'banger.ts': ['cli', 'sdk'],
  'bangerd.ts': ['daemon'],
  'bangerd-root.ts': ['privileged'],
};

/** Folders of one port and several drivers. */
const FAMILIES = 'hypervisor|disk|guest|network|privileged';

const TEST_FILE = '\\.test\\.ts$';
/** What is only ever loaded by tests, and may import what tests may. */
const TEST_CODE = `${TEST_FILE}|^src/[^/]+/[a-z-]*conformance\\.ts$|^src/[^/]+/fake/`;
const TEST_PACKAGES = ['fast-check'];

/** Folders without access to Node: what crosses a socket must be usable everywhere. */
const PURE = '^src/(base|config|contract)/';

const any = (names) => `(${names.map((name) => name.replaceAll(/[/.]/g, '\\$&')).join('|')})`;
const inPackages = (names) => `(^|/)node_modules/(@types/)?${any(names)}(/|$)`;

const allowed = [
  ...Object.entries(LAYERS).flatMap(([folder, { folders, packages }]) => [
    { from: { path: `^src/${folder}/` }, to: { path: `^src/${any([folder, ...folders])}/` } },
    ...(packages.length > 0
      ? [{ from: { path: `^src/${folder}/` }, to: { path: inPackages(packages) } }]
      : []),
  ]),
  ...Object.entries(BINS).map(([file, folders]) => ({
    from: { path: `^src/bin/${file}$` },
    to: { path: `^src/${any(folders)}/` },
  })),
  { from: { path: '^src/', pathNot: PURE }, to: { dependencyTypes: ['core'] } },
  // Tests: the test runner, fakes and conformance suites of any family, test support.
  { from: { path: TEST_FILE }, to: { dependencyTypes: ['core'] } },
  { from: { path: TEST_CODE }, to: { path: '^node:(test|assert)|^(test|assert)' } },
  { from: { path: TEST_FILE }, to: { path: `^src/(${FAMILIES})/([^/]+\\.ts$|fake/)` } },
  { from: { path: TEST_FILE }, to: { path: '^test/(support|fixtures)/' } },
  { from: { path: TEST_FILE }, to: { path: inPackages(TEST_PACKAGES) } },
  // A service is tested over the real store.
  { from: { path: '^src/daemon/.*\\.test\\.ts$' }, to: { path: '^src/' } },
  { from: { path: '^(test|bench|scripts)/' }, to: {} },
];

const forbidden = [
  {
    name: 'no-cycles',
    comment: 'Cut the cycle: move what both need down, or declare an interface where it is used.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-unresolvable',
    comment: 'The import leads nowhere, so no other rule can judge it.',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'drivers-only-in-the-composition-root',
    comment:
      'Only daemon.ts and compose-*.ts in daemon/ name concrete drivers; everybody else depends on the port.',
    from: {
      path: `^src/(?!(${FAMILIES})/)`,
      pathNot: `^src/daemon/(daemon|compose-[^/]+)\\.ts$|${TEST_FILE}`,
    },
    to: { path: `^src/(${FAMILIES})/[^/]+/` },
  },
  {
    name: 'port-does-not-know-its-drivers',
    comment: 'The files at the top of a family are shared by all drivers and import none.',
    from: { path: `^src/(${FAMILIES})/[^/]+\\.ts$`, pathNot: TEST_FILE },
    to: { path: `^src/(${FAMILIES})/[^/]+/` },
  },
  {
    name: 'drivers-do-not-know-each-other',
    comment: 'What two drivers share belongs to the top of the family.',
    from: { path: `^src/(${FAMILIES})/([^/]+)/`, pathNot: TEST_FILE },
    to: { path: `^src/(${FAMILIES})/[^/]+/`, pathNot: '^src/$1/$2/' },
  },
  {
    name: 'no-fakes-outside-tests',
    comment: 'A fake is for tests.',
    from: { path: '^src/', pathNot: `${TEST_FILE}|^src/[^/]+/fake/` },
    to: { path: '^src/[^/]+/fake/' },
  },
  {
    name: 'no-conformance-outside-tests',
    comment: 'A conformance suite is for tests.',
    from: { path: '^src/', pathNot: TEST_FILE },
    to: { path: '^src/[^/]+/[a-z-]*conformance\\.ts$' },
  },
  {
    name: 'no-test-code-in-src',
    comment: 'src/ is what ships; only tests import from test/.',
    from: { path: '^src/', pathNot: TEST_FILE },
    to: { path: `^(test|bench|scripts)/|${TEST_FILE}` },
  },
  {
    name: 'spawn-only-in-host',
    comment: 'host/ is the only place that starts processes: bounds, signals and cleaning up live there.',
    from: { path: '^src/', pathNot: `^src/host/|${TEST_FILE}` },
    to: { path: `^(node:)?(child_process|cluster)$|${inPackages(['execa'])}` },
  },
  {
    name: 'sqlite-only-in-store',
    comment: 'SQL lives in the repositories of store/.',
    from: { path: '^src/', pathNot: '^src/store/' },
    to: { path: '^(node:)?sqlite$' },
  },
  {
    name: 'services-share-types-only',
    comment: 'Services meet in daemon.ts; between them only types pass.',
    from: { path: '^src/daemon/(?!http/)([^/]+)/', pathNot: TEST_FILE },
    to: {
      path: '^src/daemon/(?!http/)[^/]+/',
      pathNot: '^src/daemon/$1/',
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'nobody-imports-the-composition-root',
    comment: 'daemon.ts is imported by the entry point and by tests.',
    from: { path: '^src/', pathNot: `^src/bin/bangerd\\.ts$|${TEST_FILE}` },
    to: { path: '^src/daemon/daemon\\.ts$' },
  },
  {
    name: 'privileged-sees-its-contract-only',
    comment: 'The root helper knows the list of root operations, not the HTTP API.',
    from: { path: '^src/(privileged/|bin/bangerd-root\\.ts$)' },
    to: { path: '^src/contract/', pathNot: '^src/contract/([^/]+\\.ts$|root/)' },
  },
  // Root closure comes here with bin/bangerd-root.ts: `reachable` from it only base, host, privileged,
  // contract's top files and root/, and zod.
];

export default {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  allowed,
  allowedSeverity: 'error',
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|agent|native)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      conditionNames: ['import', 'node', 'types', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.mjs', '.js', '.json', '.d.ts'],
    },
    // only reachable with their prefix, and unknown to the tool
    builtInModules: { add: ['node:sea', 'node:sqlite', 'node:test', 'node:test/reporters'] },
  },
};
