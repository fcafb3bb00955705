import { pino, type Logger as Pino } from 'pino';
import type { LogFields, Logger } from '#base/log.ts';

/** JSON lines on stderr, which whoever starts the daemon points at its log. */
export function createLogger(level: 'debug' | 'info' | 'warn' | 'error'): Logger {
  const destination = pino.destination({ fd: 2, sync: true });
  return adapt(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination));
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
