import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError, type UserError } from '#contract/errors.ts';
import { toConfig, type Config } from './config.ts';
import { CONFIG_KEYS, describeKey, isKeyName, KEY_NAMES } from './keys.ts';
import { Settings } from './layers.ts';

function read(user: string | undefined, system?: string): Settings {
  return Settings.read({
    user: { path: '/home/ada/.config/banger/config.toml', text: user },
    system: { path: '/etc/banger/config.toml', text: system },
  });
}

function refusalOf(user: string, system?: string): UserError {
  try {
    read(user, system);
  } catch (error) {
    if (isUserError(error, 'CONFIG_INVALID')) return error;
    throw error;
  }
  return assert.fail(`accepted: ${user}`);
}

const DEFAULTS: Config = {
  logLevel: 'info',
  accelerator: 'auto',
  agentTimeoutMs: 90_000,
  lifelessAfterMs: 20_000,
  autoStopStaleAfterMs: 0,
  statsPollIntervalMs: 5000,
  dnsPort: 42_069,
  defaultDns: undefined,
  registryMirrors: {},
  registryCertificates: [],
  catalogs: [],
  vmDefaults: {
    image: undefined,
    vcpus: undefined,
    memoryMiB: undefined,
    diskBytes: undefined,
    network: undefined,
  },
};

const EVERYTHING = `
log_level = "debug"
accelerator = "tcg"
agent_timeout = "1m30s"
lifeless_after = "30s"
default_image_name = "alpine"
auto_stop_stale_after = "2h"
stats_poll_interval = "10s"
dns_port = 0
default_dns = ["9.9.9.9", "1.1.1.1"]
registry_mirrors = ["docker.io=https://mirror.example/hub"]
registry_certificates = ["/etc/ca.pem"]
catalogs = ["/etc/catalog.json", "https://catalog.example/all.json"]
[vm_defaults]
vcpu = 3
memory_mib = 768
disk_size = "8G"
network = "none"
`;

test('no files and empty ones are the defaults', () => {
  for (const text of [undefined, '', '# only a comment\n']) assert.deepEqual(toConfig(read(text)), DEFAULTS);
  assert.deepEqual(toConfig(Settings.defaults()), DEFAULTS);
});

test('every key is read', () => {
  const settings = read(EVERYTHING);
  assert.deepEqual(
    settings.list().map(({ key, source }) => [key, source]),
    KEY_NAMES.map((key) => [key, 'user']),
  );
  assert.deepEqual(toConfig(settings), {
    logLevel: 'debug',
    accelerator: 'tcg',
    agentTimeoutMs: 90_000,
    lifelessAfterMs: 30_000,
    autoStopStaleAfterMs: 7_200_000,
    statsPollIntervalMs: 10_000,
    dnsPort: 0,
    defaultDns: ['9.9.9.9', '1.1.1.1'],
    registryMirrors: { 'docker.io': ['https://mirror.example/hub'] },
    registryCertificates: ['/etc/ca.pem'],
    catalogs: ['/etc/catalog.json', 'https://catalog.example/all.json'],
    vmDefaults: { image: 'alpine', vcpus: 3, memoryMiB: 768, diskBytes: 8 * 2 ** 30, network: 'none' },
  });
});

test("the user's file wins over the system's, key by key", () => {
  const settings = read('log_level = "warn"\nvm_defaults.vcpu = 1', EVERYTHING);
  assert.deepEqual(
    ['log_level', 'accelerator', 'vm_defaults.vcpu', 'vm_defaults.memory_mib'].map((key) => {
      assert.ok(isKeyName(key));
      const { written, source } = settings.get(key);
      return [written, source];
    }),
    [
      ['warn', 'user'],
      ['tcg', 'system'],
      [1, 'user'],
      [768, 'system'],
    ],
  );
});

test('each fallback is a value that its key takes', () => {
  for (const name of KEY_NAMES) {
    const { fallback, otherwise, schema } = describeKey(name);
    assert.ok((fallback === undefined) !== (otherwise === undefined), `${name}: one or the other`);
    if (fallback !== undefined) schema.parse(fallback);
  }
  assert.ok(Object.keys(CONFIG_KEYS).length > 10);
});

const REFUSED: [text: string, message: RegExp][] = [
  ['log_level = "loud"', /"log_level"/],
  ['accelerator = "hvf"', /"accelerator"/],
  ['agent_timeout = 90', /"agent_timeout": .*string/],
  ['agent_timeout = "soon"', /"agent_timeout": "soon" is not a duration/],
  ['agent_timeout = "0"', /"agent_timeout": "0" is not between/],
  ['agent_timeout = "999ms"', /not between 1s and 24h/],
  ['auto_stop_stale_after = "10ms"', /not between 1s and 8784h, nor "0" for never/],
  ['dns_port = 70000', /"dns_port"/],
  ['dns_port = "53"', /"dns_port": .*number/],
  ['default_dns = []', /takes 1 to 3 addresses/],
  ['default_dns = "127.0.0.53"', /"127.0.0.53" is not an address that a guest can reach/],
  ['default_dns = ["1.1.1.1", "resolver"]', /"resolver" is not an IPv4 address/],
  ['vm_defaults = 5', /"vm_defaults": it is a table of keys/],
  ['vm_defaults.vcpu = 65', /"vm_defaults.vcpu"/],
  ['vm_defaults.vcpu = 1.5', /"vm_defaults.vcpu"/],
  ['vm_defaults.memory_mib = 127', /"vm_defaults.memory_mib"/],
  ['vm_defaults.disk_size = "8"', /"8" is not a size with a unit/],
  ['vm_defaults.disk_size = "100K"', /not between 1M and 16384G/],
  ['acelerator = "tcg"', /"acelerator": there is no such key; did you mean "accelerator"\?/],
  ['[vm_defaults]\nmemory = 512', /"vm_defaults.memory": .*did you mean "vm_defaults.memory_mib"\?/],
  ['vcpu = 2', /"vcpu": .*did you mean "vm_defaults.vcpu"\?/],
  ['[vm]\nmemory = "1G"', /"vm": .*did you mean "vm_defaults"\?/],
  ['bridge_name = "br-banger"', /"bridge_name": there is no such key$/],
  ['[[file_sync]]\nhost = "~/x"', /"file_sync": there is no such key$/],
  ['constructor = 1\n__proto__ = 2', /"constructor": .*; "__proto__": /],
  ['"odd key" = 1', /"odd key"/],
  ['log_level = "info"\naccelerator = auto\n', /line 2, column \d+: /],
];

for (const [text, expected] of REFUSED) {
  test(`refused: ${JSON.stringify(text)}`, () => {
    const { message, hint } = refusalOf(text);
    assert.match(message, expected);
    assert.match(
      message,
      /^Cannot use the configuration "\/home\/ada\/\.config\/banger\/config\.toml": [^\n]+$/,
    );
    assert.ok(hint);
  });
}

test('several mistakes are told at once, and the hint removes a key that is none', () => {
  const { message, hint } = refusalOf('log_level = "loud"\nbridge_ip = "172.16.0.1"');
  assert.match(message, /"log_level".*; "bridge_ip"/);
  assert.match(hint ?? '', /banger config unset bridge_ip/);
});

test("the system's file is blamed for its own mistakes", () => {
  assert.match(refusalOf('', 'log_level = 5').message, /"\/etc\/banger\/config\.toml"/);
});
