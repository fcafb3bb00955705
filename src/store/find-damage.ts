import { messageOf } from '#base/errors.ts';
import { openDatabase } from './database.ts';

/**
 * What SQLite finds wrong with the store, undefined when nothing is. Reads all of it and changes nothing.
 *
 * @throws UserError `STORE_UNREADABLE`, `STORE_TOO_NEW`
 */
export function findDamage(path: string): string | undefined {
  const database = openDatabase(path, { readOnly: true });
  try {
    const rows = database.prepare('PRAGMA quick_check(1)').all();
    const result = String(rows[0]?.['quick_check'] ?? 'no answer');
    return result === 'ok' ? undefined : result;
  } catch (error) {
    return messageOf(error);
  } finally {
    database.close();
  }
}
