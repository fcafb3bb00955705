import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import type { WrittenValue } from './config-key.ts';
import { setInToml, UneditableTomlError, unsetInToml } from './edit-toml.ts';
import { hasKey, sameDocument, withKey, withoutKey } from './toml-document.ts';

const FILE = `# mine

log_level = "debug" # loud # very
default_dns = [ # two
  "1.1.1.1", # ]
  "9.9.9.9",
]

# sizes
[vm_defaults]
# few
vcpu = 2   # enough

[other]
text = """
# no comment = 1
[no_header]"""
`;

test('a value is replaced where it stands', () => {
  assert.equal(setInToml(FILE, ['log_level'], 'info'), FILE.replace('"debug"', '"info"'));
  assert.equal(setInToml(FILE, ['vm_defaults', 'vcpu'], 4), FILE.replace('vcpu = 2', 'vcpu = 4'));
  assert.equal(
    setInToml(FILE, ['default_dns'], ['8.8.8.8']),
    FILE.replace(/\[ # two[^]*?\n\]/, '[ "8.8.8.8" ]'),
  );
});

test('a new key comes behind the last one of its table', () => {
  assert.equal(
    setInToml(FILE, ['vm_defaults', 'disk_size'], '8G'),
    FILE.replace('# enough\n', '# enough\ndisk_size = "8G"\n'),
  );
  assert.equal(setInToml(FILE, ['dns_port'], 0), FILE.replace('9",\n]\n', '9",\n]\ndns_port = 0\n'));
});

test('a table is made where there is none', () => {
  assert.equal(setInToml('', ['vm_defaults', 'vcpu'], 2), '[vm_defaults]\nvcpu = 2\n');
  assert.equal(setInToml('a = 1', ['vm_defaults', 'vcpu'], 2), 'a = 1\n\n[vm_defaults]\nvcpu = 2\n');
  assert.equal(setInToml('# only\n', ['t', 'a'], 'x'), '# only\n\n[t]\na = "x"\n');
});

test('a first key of the root goes above the tables and what is said of them', () => {
  assert.equal(
    setInToml('# file\n\n# sizes\n[t]\na = 1\n', ['log_level'], 'info'),
    '# file\n\nlog_level = "info"\n\n# sizes\n[t]\na = 1\n',
  );
  assert.equal(setInToml('[t]\n', ['log_level'], 'info'), 'log_level = "info"\n\n[t]\n');
});

test('dotted keys and inline tables are gone along with', () => {
  assert.equal(setInToml('t.a = 1\nb = 2\n', ['t', 'c'], 3), 't.a = 1\nt.c = 3\nb = 2\n');
  assert.equal(setInToml('t.a = 1\n', ['t', 'a'], 3), 't.a = 3\n');
  assert.equal(setInToml('t = { a = 1 } # x\n', ['t', 'b'], 'y'), 't = { a = 1, b = "y" } # x\n');
  assert.equal(unsetInToml('t = { a = 1, b = 2 }\n', ['t', 'a']), 't = { b = 2 }\n');
  assert.equal(unsetInToml('t.a = 1\nt.b = 2\n', ['t', 'a']), 't.b = 2\n');
});

test('a key is removed with the rest of its lines, comments above it stay', () => {
  assert.equal(unsetInToml(FILE, ['vm_defaults', 'vcpu']), FILE.replace('vcpu = 2   # enough\n', ''));
  assert.equal(unsetInToml(FILE, ['default_dns']), FILE.replace(/default_dns[^]*?\n\]\n/, ''));
  assert.equal(unsetInToml(FILE, ['nothing', 'here']), FILE);
  assert.equal(unsetInToml('a = 1\n[[f]]\nx = 1\n[[f]]\nx = 2\n[t]\n', ['f']), 'a = 1\n[t]\n');
  assert.equal(unsetInToml('"odd key" = 1\nb = 2', ['odd key']), 'b = 2');
});

test('line ends of Windows stay, and so does a last line without one', () => {
  assert.equal(setInToml('a = 1\r\n', ['b'], 2), 'a = 1\r\nb = 2\r\n');
  assert.equal(setInToml('a = 1\r\nb = 2', ['a'], 3), 'a = 3\r\nb = 2');
});

test('what cannot be edited alone is refused, not damaged', () => {
  assert.throws(() => setInToml('a = 5\n', ['a', 'b'], 1), UneditableTomlError);
  assert.throws(() => setInToml('[[t]]\nx = 1\n', ['t', 'a'], 1), UneditableTomlError);
});

const name = fc.constantFrom('a', 'b', 'log_level', 'vcpu', 'odd key', 'ü', 'x.y');
const path = fc.array(name, { minLength: 1, maxLength: 2 });
const text = fc.constantFrom(
  '',
  'plain',
  '# [x] = "y"',
  'a\nb = 1\n[t]',
  "it's",
  '"""',
  "'''",
  'back\\slash',
  '\t}',
);
const scalar = fc.oneof(text, fc.integer({ min: -5, max: 99_999 }), fc.boolean());
const list = fc.array(text, { maxLength: 3 });
const table = fc.dictionary(name, fc.oneof(scalar, list), { maxKeys: 4, noNullPrototype: true });
const document = fc.record({
  root: table,
  tables: fc.dictionary(fc.constantFrom('t', 'vm_defaults', 'u v'), table, {
    maxKeys: 3,
    noNullPrototype: true,
  }),
});
const noise = fc.array(fc.constantFrom('\n', '# note\n', '   # [t] a = "\n', '#\n', '\t\n'), {
  maxLength: 40,
});
const newValue: fc.Arbitrary<WrittenValue> = fc.oneof(text, fc.integer({ min: 0, max: 99_999 }), list);

interface Written {
  toml: string;
  comments: string[];
}

/** The document with comments and blank lines between its statements. */
function write({ root, tables }: { root: object; tables: object }, lines: readonly string[]): Written {
  // What it writes is one line a statement: strings of several lines are escaped.
  const statements = stringify({ ...tables, ...root })
    .split('\n')
    .filter((line) => line !== '');
  const between = [...lines];
  const toml = statements.map((line) => `${between.pop() ?? ''}${line}\n`).join('') + between.join('');
  return { toml, comments: lines.filter((line) => line.includes('#')).toSorted() };
}

function assertCommentsKept(edited: string, { comments }: Written): void {
  const kept = edited
    .split('\n')
    .filter((line) => /^\s*#/.test(line))
    .map((line) => `${line}\n`);
  assert.deepEqual(kept.toSorted(), comments);
}

test('whatever the file holds: setting changes exactly that key, and keeps every comment', () => {
  let edits = 0;
  fc.assert(
    fc.property(document, noise, path, newValue, (content, lines, keyPath, value) => {
      const written = write(content, lines);
      const before = parse(written.toml);
      let edited: string;
      try {
        edited = setInToml(written.toml, keyPath, value);
      } catch (error) {
        assert.ok(error instanceof UneditableTomlError);
        const [first = ''] = keyPath;
        // Only where a table would have to become a value, or a value a table.
        assert.ok(hasKey(before, [first]), `${written.toml} ${String(keyPath)}`);
        return;
      }
      edits += 1;
      assert.ok(sameDocument(parse(edited), withKey(before, keyPath, value)));
      assertCommentsKept(edited, written);
    }),
    { numRuns: 1000 },
  );
  assert.ok(edits > 500, `${edits} edits`);
});

test('whatever the file holds: unsetting removes exactly that key, and setting it again gives the same', () => {
  fc.assert(
    fc.property(document, noise, path, (content, lines, keyPath) => {
      const written = write(content, lines);
      const edited = unsetInToml(written.toml, keyPath);
      assert.ok(sameDocument(parse(edited), withoutKey(parse(written.toml), keyPath)));
      assertCommentsKept(edited, written);
      assert.equal(unsetInToml(edited, keyPath), edited);
    }),
    { numRuns: 1000 },
  );
});
