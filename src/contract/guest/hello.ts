import { Fields, FieldsBuilder } from './fields.ts';
import { MalformedError } from './malformed.ts';
import { plainText } from './plain-text.ts';

/** The generations of the protocol that this build speaks. */
export const LOWEST_GENERATION = 1;
export const HIGHEST_GENERATION = 1;

export const NONCE_BYTES = 16;
export const MAX_ENTROPY_BYTES = 256;
/** What the host sends before `HELLO`: completes whatever frame the guest was in the middle of. */
export const RESYNC_ZEROS = 65_552;
/** What the host reads and discards at most until it has seen its nonce. */
export const MAX_DISCARDED_BYTES = 64 * 2 ** 20;

/** `HELLO` */
export interface Hello {
  nonce: Uint8Array;
  lowestGeneration: number;
  highestGeneration: number;
  /** Left out: the guest's clock stays as it is. */
  wallClockNs?: bigint;
  entropy: Uint8Array;
}

export function encodeHello(hello: Hello): Uint8Array {
  const fields = new FieldsBuilder()
    .bytes(1, hello.nonce)
    .u32(2, hello.lowestGeneration)
    .u32(3, hello.highestGeneration);
  if (hello.wallClockNs !== undefined) fields.u64(4, hello.wallClockNs);
  return fields.bytes(5, hello.entropy).build();
}

/** @throws MalformedError */
export function decodeHello(payload: Uint8Array): Hello {
  const fields = new Fields(payload);
  const nonce = fields.bytes(1);
  const clock = fields.bytes(4);
  if (nonce?.length !== NONCE_BYTES) throw new MalformedError('HELLO without a nonce of 16 bytes');
  if (clock && clock.length !== 8) throw new MalformedError('HELLO with a wall clock that is not 8 bytes');
  return {
    nonce,
    lowestGeneration: fields.requireNumber(2),
    highestGeneration: fields.requireNumber(3),
    ...(clock && { wallClockNs: new DataView(clock.buffer, clock.byteOffset, 8).getBigUint64(0, true) }),
    entropy: fields.bytes(5) ?? new Uint8Array(0),
  };
}

const INITS = ['systemd', 'openrc', 'other', 'agent'] as const;
export type GuestInit = (typeof INITS)[number];

/** `HELLO_OK`: what the agent says of itself. Text from the guest is bounded and printable. */
export interface AgentHello {
  /** 0: the agent and this build have no generation in common. */
  generation: number;
  bootId: string;
  agentVersion: string;
  init: GuestInit;
  kernelRelease: string;
  /** Guest uptime when the agent was first ready. */
  readyUptimeMs: number;
  lowestGeneration: number;
  highestGeneration: number;
}

export function encodeHelloOk(hello: AgentHello): Uint8Array {
  return new FieldsBuilder()
    .u32(1, hello.generation)
    .text(2, hello.bootId)
    .text(3, hello.agentVersion)
    .text(4, hello.init)
    .text(5, hello.kernelRelease)
    .u64(6, hello.readyUptimeMs)
    .u32(7, hello.lowestGeneration)
    .u32(8, hello.highestGeneration)
    .build();
}

/** @throws MalformedError */
export function decodeHelloOk(payload: Uint8Array): AgentHello {
  const fields = new Fields(payload);
  const bootId = fields.requireText(2);
  if (!/^[0-9a-f-]{36}$/i.test(bootId)) throw new MalformedError('HELLO_OK without a boot id');
  const init = INITS.find((name) => name === fields.text(4));
  if (init === undefined) throw new MalformedError('HELLO_OK with an unknown init');
  return {
    generation: fields.requireNumber(1),
    bootId,
    agentVersion: plainText(fields.requireText(3), 64),
    init,
    kernelRelease: plainText(fields.requireText(5), 128),
    readyUptimeMs: fields.requireNumber(6),
    lowestGeneration: fields.requireNumber(7),
    highestGeneration: fields.requireNumber(8),
  };
}
