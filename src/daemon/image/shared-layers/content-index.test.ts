import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContentIndex, type ContentRun } from './content-index.ts';

const run = (run: Partial<ContentRun>): ContentRun => ({
  ...{ member: 0, offset: 0, position: 0, length: 1, crc32: 0 },
  ...run,
});
const wanted = (...sizes: [member: number, size: number][]) =>
  new Map(sizes.map(([member, size]) => [member, { inode: { size } }]));

function indexOf(...runs: ContentRun[]): ContentIndex {
  const index = ContentIndex.empty();
  for (const one of runs) index.add(one);
  return index;
}

test('what was added is read again, however much it is and however large the numbers', () => {
  const runs = Array.from({ length: 1000 }, (_, member) =>
    run({
      ...{ member, offset: member * 2 ** 26, position: 2 ** 44 - 4096 * (member + 1) },
      ...{ length: member + 1, crc32: 2 ** 32 - 1 - member },
    }),
  );
  const read = ContentIndex.parse(indexOf(...runs).serialize());
  assert.equal(read?.length, 1000);
  assert.deepEqual(
    runs.map((_, row) => read.run(row)),
    runs,
  );
  assert.equal(ContentIndex.parse(ContentIndex.empty().serialize())?.length, 0);
});

test('an index that is not whole is none', () => {
  const bytes = indexOf(run({}), run({ member: 1 })).serialize();
  for (let length = 0; length < bytes.length; length += 1)
    assert.equal(ContentIndex.parse(bytes.subarray(0, length)), undefined, `${length} bytes`);
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 4;
    assert.equal(ContentIndex.parse(damaged), undefined, `byte ${at}`);
  }
  assert.equal(ContentIndex.parse(Buffer.concat([bytes, Buffer.alloc(20)])), undefined);
  assert.equal(ContentIndex.parse(Buffer.alloc(bytes.length)), undefined);
});

test('rows come in the order of the disk', () => {
  const index = indexOf(
    run({ member: 1, position: 3 * 4096, length: 10 }),
    run({ member: 3, position: 4096, length: 4096 }),
    run({ member: 3, position: 2 * 4096, offset: 4096, length: 6 }),
  );
  assert.deepEqual([...(index.rowsOf(wanted([1, 10], [3, 4102])) ?? [])], [1, 2, 0]);
  assert.deepEqual([...(index.rowsOf(wanted([1, 10])) ?? [])], [0]);
  assert.deepEqual([...(index.rowsOf(wanted([1, 10], [7, 0])) ?? [])], [0], 'an empty file lies nowhere');
});

for (const [title, runs] of Object.entries<Partial<ContentRun>[]>({
  'one is missing': [{ member: 1, length: 10 }],
  'one is shorter': [
    { member: 1, length: 10 },
    { member: 2, length: 9, position: 4096 },
  ],
  'sizes are swapped': [
    { member: 1, length: 20 },
    { member: 2, length: 10, position: 4096 },
  ],
  'another one stands in': [
    { member: 1, length: 10 },
    { member: 1, length: 10, position: 4096 },
    { member: 1, length: 10, position: 8192 },
  ],
  'a part is missing': [
    { member: 1, length: 10 },
    { member: 2, offset: 4096, length: 20, position: 4096 },
  ],
  'one is there twice': [
    { member: 1, length: 10 },
    { member: 2, length: 20, position: 4096 },
    { member: 1, length: 10, position: 8192 },
  ],
})) {
  test(`not all that is wanted: ${title}`, () => {
    assert.equal(indexOf(...runs.map((one) => run(one))).rowsOf(wanted([1, 10], [2, 20])), undefined);
  });
}
