import { AUTHORITATIVE_ANSWER, TRUNCATED_RESPONSE, encode, type Answer } from 'dns-packet';
import type { Edns, Question, QueryHeader } from './read-query.ts';

export interface Reply {
  rcode: number;
  authoritative?: boolean;
  answers?: Answer[];
  authorities?: Answer[];
}

/** What of a query its answer depends on; no question: none could be read. */
export interface Asked {
  header: QueryHeader;
  question?: Question;
  edns?: Edns | undefined;
}

/** What fits into a datagram that no network on the way cuts; DNS Flag Day 2020. */
const OWN_PAYLOAD_BYTES = 1232;
const PLAIN_PAYLOAD_BYTES = 512;
const HEADER_BYTES = 12;
const DNSSEC_OK = 0x8000;

/** The reply as a message; over UDP one that does not fit is cut to its question, and the client asks again over TCP. */
export function writeReply(asked: Asked, reply: Reply, transport: 'udp' | 'tcp'): Buffer {
  const whole = encodeReply(asked, reply, 0);
  if (transport === 'tcp' || whole.length <= datagramBytes(asked.edns)) return whole;
  const { rcode, authoritative = false } = reply;
  return encodeReply(asked, { rcode, authoritative }, TRUNCATED_RESPONSE);
}

function datagramBytes(edns: Edns | undefined): number {
  const wanted = Math.max(PLAIN_PAYLOAD_BYTES, edns?.payloadBytes ?? 0);
  return Math.min(wanted, OWN_PAYLOAD_BYTES);
}

function encodeReply({ header, question, edns }: Asked, reply: Reply, flags: number): Buffer {
  const { rcode, authoritative, answers = [], authorities = [] } = reply;
  const message = encode({
    type: 'response',
    id: header.id,
    flags:
      flags |
      header.flags |
      (header.opcode << 11) |
      (authoritative ? AUTHORITATIVE_ANSWER : 0) |
      (rcode & 0xf),
    answers,
    authorities,
    additionals: edns ? [optionsOf(edns, rcode)] : [],
  });
  return question ? withQuestion(message, question.bytes) : message;
}

function optionsOf({ dnssecOk }: Edns, rcode: number): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: OWN_PAYLOAD_BYTES,
    extendedRcode: rcode >> 4,
    ednsVersion: 0,
    flags: dnssecOk ? DNSSEC_OK : 0,
    flag_do: dnssecOk,
    options: [],
  };
}

/** The package writes no compressed names, so the records may move; it cannot write classes that it does not know. */
function withQuestion(message: Buffer, question: Buffer): Buffer {
  const whole = Buffer.concat([message.subarray(0, HEADER_BYTES), question, message.subarray(HEADER_BYTES)]);
  whole.writeUInt16BE(1, 4);
  return whole;
}
