import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, type Answer, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { answerQuery } from './answer-query.ts';
import { VmZone } from './vm-zone.ts';

const ZONE = new VmZone();
ZONE.set('demo', '127.77.3.4');
ZONE.set('other', '127.77.3.5');

const RECURSION_DESIRED = 0x0100;
const CHECKING_DISABLED = 0x0010;

interface Answered {
  rcode: number;
  /** Flags besides the response code. */
  flags: number;
  id: number;
  questions: unknown[];
  answers: unknown[];
  /** Types of the records in the authority section. */
  authorities: string[];
  options: { version: number; extendedRcode: number; flags: number } | undefined;
}

function answer(message: Buffer, transport: 'udp' | 'tcp' = 'udp'): Answered | undefined {
  const reply = answerQuery(message, ZONE, transport);
  return reply && readReply(reply);
}

function readReply(reply: Buffer): Answered {
  const packet = decode(reply);
  assert.equal(packet.type, 'response');
  assert.equal(decode.bytes, reply.length, 'nothing after the last record');
  const options = packet.additionals?.find((record) => record.type === 'OPT');
  return {
    rcode: reply.readUInt16BE(2) & 0xf,
    flags: reply.readUInt16BE(2) & 0x7ff0,
    id: packet.id ?? -1,
    questions: packet.questions ?? [],
    answers: (packet.answers ?? []).map((record) => simplify(record)),
    authorities: (packet.authorities ?? []).map((record) => record.type),
    options: options && {
      version: options.ednsVersion,
      extendedRcode: options.extendedRcode,
      flags: options.flags,
    },
  };
}

const simplify = (record: Answer) =>
  'data' in record ? { type: record.type, name: record.name, ttl: record.ttl, data: record.data } : record;

function query(name: string, type = 'A', rest: Packet = {}): Buffer {
  return encode({
    type: 'query',
    id: 4711,
    flags: RECURSION_DESIRED,
    questions: [{ name, type: type as 'A' }],
    ...rest,
  });
}

/** A reply to a question that was understood. */
function ask(name: string, type = 'A'): Answered {
  return answer(query(name, type)) ?? assert.fail('no answer');
}

const AA = 0x0400;
const summary = ({ rcode, flags, answers, authorities }: Answered) => ({
  rcode,
  isAuthoritative: (flags & AA) !== 0,
  count: answers.length,
  authorities,
});

const NODATA = { rcode: 0, isAuthoritative: true, count: 0, authorities: ['SOA'] };
const NXDOMAIN = { rcode: 3, isAuthoritative: true, count: 0, authorities: ['SOA'] };
const REFUSED = { rcode: 5, isAuthoritative: false, count: 0, authorities: [] };
const ONE = { rcode: 0, isAuthoritative: true, count: 1, authorities: [] };

test('the address of a VM, with the question as it was asked', () => {
  const reply = ask('DeMo.vM');
  assert.deepEqual(reply, {
    rcode: 0,
    flags: AA | RECURSION_DESIRED,
    id: 4711,
    questions: [{ name: 'DeMo.vM', type: 'A', class: 'IN' }],
    answers: [{ type: 'A', name: 'DeMo.vM', ttl: 1, data: '127.77.3.4' }],
    authorities: [],
    options: undefined,
  });
});

test('a name below a VM, and the way back from an address', () => {
  assert.deepEqual(ask('shop.demo.vm').answers, [
    { type: 'A', name: 'shop.demo.vm', ttl: 1, data: '127.77.3.4' },
  ]);
  assert.deepEqual(ask('5.3.77.127.in-addr.arpa', 'PTR').answers, [
    { type: 'PTR', name: '5.3.77.127.in-addr.arpa', ttl: 1, data: 'other.vm' },
  ]);
});

const CASES: [string, string, object][] = [
  ['demo.vm', 'AAAA', NODATA],
  ['demo.vm', 'MX', NODATA],
  ['demo.vm', 'UNKNOWN_65', NODATA],
  ['demo.vm', 'PTR', NODATA],
  ['demo.vm', 'ANY', ONE],
  ['demo.vm', 'AXFR', REFUSED],
  ['vm', 'A', NODATA],
  ['vm', 'NS', NODATA],
  ['vm', 'SOA', ONE],
  ['vm', 'ANY', ONE],
  ['nobody.vm', 'A', NXDOMAIN],
  ['nobody.vm', 'AAAA', NXDOMAIN],
  ['x.nobody.vm', 'A', NXDOMAIN],
  ['77.127.in-addr.arpa', 'SOA', ONE],
  ['3.77.127.in-addr.arpa', 'PTR', NODATA],
  ['4.3.77.127.in-addr.arpa', 'A', NODATA],
  ['9.9.77.127.in-addr.arpa', 'PTR', NXDOMAIN],
  ['1.0.0.127.in-addr.arpa', 'PTR', REFUSED],
  ['example.org', 'A', REFUSED],
  ['vm.example.org', 'A', REFUSED],
  ['.', 'NS', REFUSED],
];

for (const [name, type, expected] of CASES) {
  test(`${type} of ${name}`, () => assert.deepEqual(summary(ask(name, type)), expected));
}

test('"no" is not to be remembered', () => {
  const reply = decode(answerQuery(query('nobody.vm'), ZONE, 'udp') ?? assert.fail());
  const [authority] = reply.authorities ?? [];
  assert.ok(authority?.type === 'SOA');
  assert.equal(authority.name, 'vm');
  assert.deepEqual([authority.ttl, authority.data.minimum], [0, 0]);
});

/** The class is the last two bytes of a message with a question only. */
function withClass(message: Buffer, number: number): Buffer {
  message.writeUInt16BE(number, message.length - 2);
  return message;
}

test('another class than IN is refused, with the question repeated to the letter', () => {
  for (const number of [3, 255, 17]) {
    const message = withClass(query('demo.vm'), number);
    const reply = answerQuery(message, ZONE, 'udp') ?? assert.fail();
    assert.deepEqual(summary(readReply(reply)), REFUSED);
    assert.deepEqual(reply.subarray(12), message.subarray(12));
  }
});

test('flags that belong to the client come back, others do not', () => {
  const flags = RECURSION_DESIRED | CHECKING_DISABLED;
  const message = query('demo.vm', 'A', { flags: flags | 0x0020 | 0x0200 | 0x0040 | 0x0080 });
  assert.equal(answer(message)?.flags, AA | flags);
});

test('an operation other than a query is not implemented, and repeated in the answer', () => {
  for (const opcode of [1, 2, 4, 5, 15]) {
    const message = query('demo.vm', 'A', { flags: opcode << 11 });
    assert.deepEqual(answer(message), {
      rcode: 4,
      flags: opcode << 11,
      id: 4711,
      questions: [],
      answers: [],
      authorities: [],
      options: undefined,
    });
  }
});

test('none or several questions, records in a query, and what ends too early are bad format', () => {
  const questions = [{ name: 'demo.vm', type: 'A' as const }];
  const record = { type: 'A' as const, name: 'demo.vm', data: '1.2.3.4' };
  const whole = query('demo.vm');
  const bad = [
    encode({ id: 4711, questions: [] }),
    encode({ id: 4711, questions: [...questions, ...questions] }),
    encode({ id: 4711, questions, answers: [record] }),
    encode({ id: 4711, questions, authorities: [record] }),
    encode({ id: 4711, questions, additionals: [record, record, record] }),
    encode({ id: 4711, questions, additionals: [optRecord(0), optRecord(0)] }),
    whole.subarray(0, -1),
    whole.subarray(0, 14),
    whole.subarray(0, 12),
  ];
  for (const message of bad) {
    const reply = answer(message) ?? assert.fail();
    assert.deepEqual([reply.rcode, reply.id, reply.questions], [1, 4711, []]);
  }
});

test('names that an answer could not repeat are bad format', () => {
  const header = query('.').subarray(0, 12);
  const end = Buffer.from([0, 0, 1, 0, 1]);
  const names = {
    'a pointer into the header': Buffer.from([0xc0, 0, 0, 1, 0, 1]),
    'a label with a dot': Buffer.concat([Buffer.from('\x03a.b\x04demo\x02vm', 'latin1'), end]),
    'broken UTF-8': Buffer.concat([Buffer.from('\x02\xff\xfe\x04demo\x02vm', 'latin1'), end]),
    'a reserved label type': Buffer.concat([Buffer.from('\x41a\x02vm', 'latin1'), end]),
  };
  for (const [what, name] of Object.entries(names)) {
    assert.equal(answer(Buffer.concat([header, name]))?.rcode, 1, what);
  }
});

test('no answer to an answer, nor to what has no header', () => {
  assert.equal(answerQuery(query('demo.vm', 'A', { type: 'response' }), ZONE, 'udp'), undefined);
  assert.equal(answerQuery(query('demo.vm').subarray(0, 11), ZONE, 'udp'), undefined);
  assert.equal(answerQuery(Buffer.alloc(0), ZONE, 'tcp'), undefined);
});

function optRecord(version: number, flags = 0, payloadBytes = 4096): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: payloadBytes,
    extendedRcode: 0,
    ednsVersion: version,
    flags,
    flag_do: flags !== 0,
    options: [],
  };
}

test('EDNS is answered with EDNS; a version that is not known yet is refused as such', () => {
  const plain = answer(query('demo.vm', 'A', { additionals: [optRecord(0, 0x8000)] }));
  assert.deepEqual(plain?.options, { version: 0, extendedRcode: 0, flags: 0x8000 });
  assert.equal(plain?.answers.length, 1);
  const newer = answer(query('demo.vm', 'A', { additionals: [optRecord(1)] }));
  assert.deepEqual(newer?.options, { version: 0, extendedRcode: 1, flags: 0 });
  assert.deepEqual([newer?.rcode, newer?.answers], [0, []]);
});

test('what is too long for a datagram is cut there, whole over TCP, and whole for who takes more', () => {
  const label = 'a'.repeat(60);
  const name = `${label}.${label}.${label}.${label}.demo.vm`;
  const cut = answer(query(name)) ?? assert.fail();
  assert.deepEqual(
    [cut.flags & 0x0200, cut.rcode, cut.answers.length, cut.questions.length],
    [0x0200, 0, 0, 1],
  );
  const whole = answer(query(name), 'tcp') ?? assert.fail();
  assert.deepEqual([whole.flags & 0x0200, whole.answers.length], [0, 1]);
  const larger = answer(query(name, 'A', { additionals: [optRecord(0)] })) ?? assert.fail();
  assert.deepEqual([larger.flags & 0x0200, larger.answers.length], [0, 1]);
});

/** Every answer is a message again, to the same client, and no larger than what it can take. */
function checkReply(message: Buffer): void {
  const reply = answerQuery(message, ZONE, 'udp');
  if (!reply) return;
  assert.equal(reply.readUInt16BE(0), message.readUInt16BE(0));
  assert.ok(reply.length <= 1232);
  readReply(reply);
}

test('whatever comes, the answer is none or a message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => checkReply(Buffer.from(bytes))),
    { numRuns: 2000 },
  );
});

test('the same behind a header that looks like a query', () => {
  const counts = fc.tuple(fc.constantFrom(0, 1, 1, 1, 2), fc.nat(1), fc.nat(1), fc.nat(3));
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc
      .tuple(
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 0, max: 300 }),
        fc.uint8Array({ maxLength: 80 }),
      )
      .map(([name, type, rest]) =>
        Buffer.from([
          4,
          ...Buffer.from('demo'),
          2,
          118,
          109,
          0,
          0,
          1,
          0,
          1,
          ...name,
          type >> 8,
          type & 255,
          ...rest,
        ]),
      ),
  );
  fc.assert(
    fc.property(counts, body, (sections, bytes) => {
      const header = Buffer.alloc(12);
      sections.forEach((count, index) => header.writeUInt16BE(count, 4 + 2 * index));
      checkReply(Buffer.concat([header, bytes]));
    }),
    { numRuns: 5000 },
  );
});
