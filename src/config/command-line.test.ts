import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatValue, parseKeyName, parseValue } from './command-line.ts';
import { parseKeyPath, formatKeyPath } from './key-path.ts';
import { describeKey, KEY_NAMES } from './keys.ts';

test('a word becomes a value of the kind that its key takes', () => {
  assert.equal(parseValue('log_level', 'debug'), 'debug');
  assert.equal(parseValue('dns_port', '0'), 0);
  assert.equal(parseValue('vm_defaults.disk_size', '16G'), '16G');
  assert.deepEqual(parseValue('default_dns', '9.9.9.9, 1.1.1.1'), ['9.9.9.9', '1.1.1.1']);
});

test('each default can be set as it is shown', () => {
  for (const name of KEY_NAMES) {
    const { fallback } = describeKey(name);
    if (fallback !== undefined) assert.deepEqual(parseValue(name, formatValue(fallback)), fallback);
  }
});

test('what a key does not take is refused with what it takes', () => {
  for (const [name, text] of [
    ['dns_port', '-1'],
    ['dns_port', '1e3'],
    ['dns_port', ''],
    ['dns_port', '65536'],
    ['vm_defaults.vcpu', '0'],
    ['default_dns', ''],
    ['default_dns', 'localhost'],
    ['agent_timeout', '90'],
    ['default_image_name', ''],
  ] as const) {
    assert.throws(
      () => parseValue(name, text),
      { code: 'CONFIG_VALUE_INVALID', hint: `it takes ${describeKey(name).takes}` },
      `${name} ${text}`,
    );
  }
});

test('a key that is none names the nearest', () => {
  assert.equal(parseKeyName('vm_defaults.vcpu'), 'vm_defaults.vcpu');
  assert.throws(() => parseKeyName('vm_defaults.cpu'), { hint: 'did you mean "vm_defaults.vcpu"?' });
  assert.throws(() => parseKeyName('memory_mib'), { hint: 'did you mean "vm_defaults.memory_mib"?' });
  assert.throws(() => parseKeyName('toString'), { code: 'CONFIG_KEY_UNKNOWN', hint: 'banger config show' });
});

test('a dotted key is read as TOML reads it, and what is none is one part', () => {
  assert.deepEqual(parseKeyPath('a.b'), ['a', 'b']);
  assert.deepEqual(parseKeyPath(' a . "b.c" '), ['a', 'b.c']);
  assert.deepEqual(parseKeyPath('odd key'), ['odd key']);
  assert.deepEqual(parseKeyPath('a = 1\nb'), ['a = 1\nb']);
  assert.equal(formatKeyPath(['a', 'b.c', 'ü']), 'a."b.c"."ü"');
});
