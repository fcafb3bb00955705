import type { Abortable } from '#base/abort.ts';

export interface ApiRequest extends Abortable {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query: `/v1/vms?x=y`. */
  path: string;
  body?: unknown;
  /** For the routes that work across builds. */
  anyBuild?: boolean;
}
