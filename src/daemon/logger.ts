import { pino, type Logger as Pino } from 'pino';
import type { LogFields, Logger } from '#base/log.ts';
import { MiB } from '#base/sizes.ts';
import { BoundedLog } from '#host/bounded-log.ts';
import { currentOperation } from './operation-scope.ts';

/** There is an older one of this size besides. */
const MAX_LOG_BYTES = 8 * MiB;

/** JSON lines on stderr, which whoever starts the daemon points at its log, `logPath`. */
export function createLogger(level: 'debug' | 'info' | 'warn' | 'error', logPath: string): Logger {
  const destination = new BoundedLog({ fd: 2, path: logPath, maxBytes: MAX_LOG_BYTES });
  return adapt(
    pino(
      { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, mixin: operationFields },
      destination,
    ),
  );
}

/** A logger that carries the operation itself would say it twice. */
function operationFields(_fields: object, _level: number, log: Pino): object {
  const operation = currentOperation();
  return operation === undefined || 'operationId' in log.bindings() ? {} : operation;
}

function adapt(log: Pino): Logger {
  return {
    debug: (fields: LogFields, message: string) => log.debug(fields, message),
    info: (fields: LogFields, message: string) => log.info(fields, message),
    warn: (fields: LogFields, message: string) => log.warn(fields, message),
    error: (fields: LogFields, message: string) => log.error(fields, message),
    child: (fields: LogFields) => adapt(log.child(fields)),
  };
}
