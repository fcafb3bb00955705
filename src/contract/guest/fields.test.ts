import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fields, FieldsBuilder } from './fields.ts';
import { MalformedError } from './malformed.ts';

const tag = fc.integer({ min: 0, max: 255 });

describe('Fields', () => {
  it('gives back every field, repeated ones in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(tag, fc.uint8Array())), (entries) => {
        const builder = new FieldsBuilder();
        for (const [key, value] of entries) builder.bytes(key, value);
        const payload = builder.build();
        assert.equal(payload.length, builder.length);
        const fields = new Fields(payload);
        for (const [key] of entries) {
          const expected = entries.filter(([other]) => other === key).map(([, value]) => value);
          assert.deepEqual(fields.all(key), expected);
        }
      }),
    );
  });

  it('reads numbers of both widths, saturating what JavaScript cannot hold', () => {
    const fields = new Fields(
      new FieldsBuilder()
        .u32(1, 0xffff_ffff)
        .u64(2, 2 ** 40)
        .u64(3, 2n ** 64n - 1n)
        .text(4, 'abc')
        .build(),
    );
    assert.equal(fields.number(1), 0xffff_ffff);
    assert.equal(fields.number(2), 2 ** 40);
    assert.equal(fields.number(3), Number.MAX_SAFE_INTEGER);
    assert.equal(fields.number(5), undefined);
    assert.throws(() => fields.number(4), MalformedError);
    assert.throws(() => fields.requireNumber(5), MalformedError);
    assert.throws(() => fields.requireText(5), MalformedError);
  });

  it('reads text, also when it is not UTF-8', () => {
    const fields = new Fields(
      new FieldsBuilder().text(1, 'grüß').bytes(2, Uint8Array.of(0x61, 0xff)).build(),
    );
    assert.equal(fields.text(1), 'grüß');
    assert.equal(fields.text(2), 'a\u{fffd}');
  });

  it('refuses a field that runs past its payload', () => {
    assert.throws(() => new Fields(Uint8Array.of(1, 2, 0, 0, 0, 9)), MalformedError);
    assert.throws(() => new Fields(Uint8Array.of(1, 255, 255, 255, 255)), MalformedError);
    assert.throws(() => new Fields(Uint8Array.of(1, 0, 0)), MalformedError);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        try {
          new Fields(payload);
        } catch (error) {
          assert.ok(error instanceof MalformedError);
        }
      }),
    );
  });
});
