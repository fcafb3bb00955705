import { decode, encode, type DecodedPacket, type OptAnswer } from 'dns-packet';

/** Numbers of RFC 1035 and RFC 6891. */
export const RCODE = { ok: 0, badFormat: 1, noSuchName: 3, notImplemented: 4, refused: 5, badVersion: 16 };

/** What an answer repeats of the header. */
export interface QueryHeader {
  id: number;
  opcode: number;
  /** Those that an answer repeats: recursion desired, checking disabled. */
  flags: number;
}

export interface Question {
  name: string;
  /** `A`, or `UNKNOWN_65`. */
  type: string;
  class: number;
  /** As it was asked: an answer repeats it to the letter. */
  bytes: Buffer;
}

export interface Edns {
  version: number;
  /** What the asker takes in one datagram. */
  payloadBytes: number;
  dnssecOk: boolean;
}

export interface Query {
  header: QueryHeader;
  question: Question;
  edns: Edns | undefined;
}

/** A message that gets an answer without its question being looked at. */
export interface Misquery {
  header: QueryHeader;
  rcode: number;
}

const HEADER_BYTES = 12;
const CLASS_BYTES = 2;
const RESPONSE = 0x8000;
const REPEATED_FLAGS = 0x0110;
const DNSSEC_OK = 0x8000;
/** Of an ordinary query the only one is OPT, or with it a signature. */
const MAX_ADDITIONALS = 2;

/** Reads what a client sent; undefined for what must not be answered: no header to answer to, or itself an answer. */
export function readQuery(message: Buffer): Query | Misquery | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  if (flags & RESPONSE) return undefined;
  const opcode = (flags >> 11) & 0xf;
  const header = { id: message.readUInt16BE(0), opcode, flags: flags & REPEATED_FLAGS };
  if (opcode !== 0) return { header, rcode: RCODE.notImplemented };
  const packet = hasQueryCounts(message) ? decodePacket(message) : undefined;
  const question = packet && readQuestion(message, packet);
  const options = packet?.additionals?.filter((record) => record.type === 'OPT') ?? [];
  if (!question || options.length > 1) return { header, rcode: RCODE.badFormat };
  return { header, question, edns: options[0] && readEdns(options[0]) };
}

/** One question and no records but OPT: whatever else there was would only be decoded for nothing. */
function hasQueryCounts(message: Buffer): boolean {
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  return questions === 1 && answers === 0 && authorities === 0 && (additionals ?? 0) <= MAX_ADDITIONALS;
}

function decodePacket(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined; // the package throws plain errors of several kinds for what is no message
  }
}

/**
 * The only question; undefined when its name is not the same written again. That is so with compression, which nothing can
 * precede here, and with bytes that a name in an answer could not repeat: a dot within a label, broken UTF-8.
 */
function readQuestion(message: Buffer, { questions }: DecodedPacket): Question | undefined {
  const [question] = questions ?? [];
  if (!question) return undefined;
  const again = encode({ questions: [question] });
  const end = again.length;
  const bytes = message.subarray(HEADER_BYTES, end);
  if (!bytes.subarray(0, -CLASS_BYTES).equals(again.subarray(HEADER_BYTES, -CLASS_BYTES))) return undefined;
  return { name: question.name, type: question.type, class: message.readUInt16BE(end - CLASS_BYTES), bytes };
}

function readEdns({ ednsVersion, udpPayloadSize, flags }: OptAnswer): Edns {
  return { version: ednsVersion, payloadBytes: udpPayloadSize, dnssecOk: (flags & DNSSEC_OK) !== 0 };
}
