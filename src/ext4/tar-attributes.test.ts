import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { readTarAttributes } from './tar-attributes.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/banger-tar-`);
});
after(() => rm(folder, { recursive: true }));

interface Member {
  type: string;
  name: string;
  content: Buffer;
  /** Instead of the content's length. */
  sizeField?: Buffer;
}

function member({ type, name, content, sizeField }: Member): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  (sizeField ?? Buffer.from(`${content.length.toString(8).padStart(11, '0')}\0`)).copy(header, 124);
  header.write(type, 156);
  header.write('ustar\0', 257);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function paxRecord(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  const digits = String(body.length + String(body.length + 2).length).length;
  return Buffer.concat([Buffer.from(String(body.length + digits)), body]);
}

async function attributesOf(...members: Buffer[]) {
  const path = `${folder}/test.tar`;
  await writeFile(path, Buffer.concat([...members, Buffer.alloc(1024)]));
  return readTarAttributes(path);
}

const value = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0x0a, 0x3d]);
const capability = paxRecord('SCHILY.xattr.security.capability', value);
const file = (name: string, text = 'content') => member({ type: '0', name, content: Buffer.from(text) });
const pax = (content: Buffer) => member({ type: 'x', name: 'PaxHeaders/x', content });

test('finds attributes with their bytes, for the member they belong to', async () => {
  const found = await attributesOf(file('./before'), pax(capability), file('./ping'), file('./after'));
  assert.deepEqual(
    found.map(({ path, name, value: bytes }) => [path, name, [...bytes]]),
    [['./ping', 'security.capability', [...value]]],
  );
});

test('knows long names, in pax and in GNU form', async () => {
  const long = 'x'.repeat(180);
  const inPax = await attributesOf(
    pax(Buffer.concat([paxRecord('path', Buffer.from(long)), capability])),
    file('short'),
  );
  assert.equal(inPax[0]?.path, long);
  const inGnu = await attributesOf(
    member({ type: 'L', name: '././@LongLink', content: Buffer.from(`${long}\0`) }),
    pax(capability),
    file('short'),
  );
  assert.equal(inGnu[0]?.path, long);
});

test('a tar without attributes has none', async () => {
  assert.deepEqual(await attributesOf(file('a'), file('b', '')), []);
});

test('refuses what is damaged', async () => {
  await assert.rejects(attributesOf(pax(Buffer.from('99 SCHILY.xattr.user.x=cut'))), /damaged pax record/);
  await assert.rejects(attributesOf(pax(Buffer.from('no length'))), /damaged pax record/);
  const huge = member({
    type: 'x',
    name: 'x',
    content: Buffer.alloc(0),
    sizeField: Buffer.from('77777777777\0'),
  });
  await assert.rejects(attributesOf(huge), /extension header of/);
  const endless = member({
    type: '0',
    name: 'x',
    content: Buffer.alloc(0),
    sizeField: Buffer.from('00000100000\0'),
  });
  await assert.rejects(attributesOf(endless), /ends too early/);
});
