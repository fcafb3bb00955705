import { lookup } from 'node:dns/promises';
import { raceAbort, type Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';

/** What getaddrinfo says when there is no such name, or nobody who could tell. */
const NOT_FOUND = ['ENOTFOUND', 'EAI_AGAIN', 'ENODATA'];

/** IPv4 addresses of a name as every program of this host would find them; none when it finds none. */
export async function lookUpHost(name: string, { signal }: Abortable = {}): Promise<string[]> {
  try {
    const found = await raceAbort(lookup(name, { all: true, family: 4 }), signal);
    return found.map(({ address }) => address);
  } catch (error) {
    if (NOT_FOUND.includes(systemErrorCode(error) ?? '')) return [];
    throw error;
  }
}
