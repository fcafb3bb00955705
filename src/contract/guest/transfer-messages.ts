import { UserError } from '../errors.ts';
import { Fields, FieldsBuilder } from './fields.ts';
import { buildOpen, openFields, Operation, withoutNul } from './open.ts';

export interface TarInRequest {
  /** Absolute; made when missing. */
  folder: string;
  /** Remove what is in the way and of a different kind. */
  replace?: boolean | undefined;
  /** Leave owners as they come out: root. */
  keepOwners?: boolean | undefined;
}

export interface TarOutRequest {
  /** Absolute: a file or a folder. */
  path: string;
  /** Below `path`; default everything. */
  names?: readonly string[] | undefined;
}

export interface TarResult {
  entries: number;
  bytes: number;
}

export interface ConnectRequest {
  port: number;
  /** Numeric address; default 127.0.0.1. */
  host?: string | undefined;
}

const REPLACE = 1;
const NO_OWNERS = 2;

/** @throws UserError `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE` */
export function encodeTarInOpen(request: TarInRequest): Uint8Array {
  const flags = (request.replace ? REPLACE : 0) | (request.keepOwners === false ? NO_OWNERS : 0);
  const fields = openFields(Operation.TAR_IN).text(2, absolutePath(request.folder)).u32(3, flags);
  return buildOpen(fields, `the folder "${request.folder}"`);
}

/** @throws MalformedError */
export function decodeTarInOpen(payload: Uint8Array): TarInRequest {
  const fields = new Fields(payload);
  const flags = fields.number(3) ?? 0;
  return {
    folder: fields.requireText(2),
    replace: (flags & REPLACE) !== 0,
    keepOwners: (flags & NO_OWNERS) === 0,
  };
}

/** @throws UserError `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE` */
export function encodeTarOutOpen(request: TarOutRequest): Uint8Array {
  const fields = openFields(Operation.TAR_OUT).text(2, absolutePath(request.path));
  for (const name of request.names ?? []) fields.text(3, withoutNul(name, 'the name'));
  return buildOpen(fields, `names below "${request.path}"`);
}

/** @throws MalformedError */
export function decodeTarOutOpen(payload: Uint8Array): TarOutRequest {
  const fields = new Fields(payload);
  return { path: fields.requireText(2), names: fields.texts(3) };
}

export function encodeTarResult(result: TarResult): Uint8Array {
  return new FieldsBuilder().u64(1, result.entries).u64(2, result.bytes).build();
}

/** @throws MalformedError */
export function decodeTarResult(payload: Uint8Array): TarResult {
  const fields = new Fields(payload);
  return { entries: fields.requireNumber(1), bytes: fields.requireNumber(2) };
}

/** @throws UserError `INVALID_ARGUMENT` */
export function encodeTcpConnectOpen(request: ConnectRequest): Uint8Array {
  return encodeConnectOpen(Operation.TCP_CONNECT, request);
}

/** @throws UserError `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE` */
export function encodeUdpConnectOpen(request: ConnectRequest): Uint8Array {
  return encodeConnectOpen(Operation.UDP_CONNECT, request);
}

function encodeConnectOpen(operation: Operation, { port, host }: ConnectRequest): Uint8Array {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UserError('INVALID_ARGUMENT', `Cannot connect to port ${port}: ports are 1 to 65535`);
  }
  const fields = openFields(operation).u32(3, port);
  if (host !== undefined) fields.text(2, withoutNul(host, 'the address'));
  return buildOpen(fields, `the address "${host ?? ''}"`);
}

/** Of both. @throws MalformedError */
export function decodeConnectOpen(payload: Uint8Array): ConnectRequest {
  const fields = new Fields(payload);
  return { port: fields.requireNumber(3), host: fields.text(2) };
}

function absolutePath(path: string): string {
  if (!path.startsWith('/')) {
    throw new UserError('INVALID_ARGUMENT', `Cannot use the guest path "${path}": it is not absolute`);
  }
  return withoutNul(path, 'the path');
}
