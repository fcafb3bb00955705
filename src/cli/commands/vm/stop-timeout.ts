import { parseTimeout } from '../../parameters.ts';

/** Of every verb that powers VMs off. */
export const stopTimeoutFlag = {
  kind: 'parsed',
  parse: parseTimeout,
  brief: 'How long they may take to power off before they are killed: 30s, 2m; default 10s, 0 kills at once',
  placeholder: 'time',
  optional: true,
} as const;
