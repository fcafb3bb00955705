import type { Answer } from 'dns-packet';
import { RCODE, readQuery, type Query, type Question } from './read-query.ts';
import type { VmZone } from './vm-zone.ts';
import { writeReply, type Reply } from './write-reply.ts';

/** A VM made again under the same name may have another address, and asking costs a datagram within the machine. */
const TTL_SECONDS = 1;
/** A name that was asked for too early works the moment its VM runs. */
const NEGATIVE_TTL_SECONDS = 0;
const CLASS_INTERNET = 1;
const TRANSFERS = ['AXFR', 'IXFR'];

/** The answer to what a client sent; undefined when it gets none. Pure: the zone is only read. */
export function answerQuery(message: Buffer, zone: VmZone, transport: 'udp' | 'tcp'): Buffer | undefined {
  const query = readQuery(message);
  if (!query) return undefined;
  const reply = 'rcode' in query ? { rcode: query.rcode } : decide(query, zone);
  return writeReply(query, reply, transport);
}

function decide({ question, edns }: Query, zone: VmZone): Reply {
  if (edns && edns.version > 0) return { rcode: RCODE.badVersion };
  if (question.class !== CLASS_INTERNET || TRANSFERS.includes(question.type)) return { rcode: RCODE.refused };
  const found = zone.find(question.name);
  if (!found) return { rcode: RCODE.refused };
  const authority = authorityOf(found.zone, zone.serial);
  const { entry } = found;
  if (entry.kind === 'absent')
    return { rcode: RCODE.noSuchName, authoritative: true, authorities: [authority] };
  if (entry.kind === 'record' && asksFor(question, entry.type)) {
    const { type, data } = entry;
    return positive({ type, name: question.name, ttl: TTL_SECONDS, data });
  }
  if (entry.kind === 'apex' && asksFor(question, 'SOA')) return positive(authority);
  return { rcode: RCODE.ok, authoritative: true, authorities: [authority] };
}

/** ANY gets what there is, which RFC 8482 leaves to the server. */
function asksFor({ type }: Question, wanted: string): boolean {
  return type === wanted || type === 'ANY';
}

function positive(answer: Answer): Reply {
  return { rcode: RCODE.ok, authoritative: true, answers: [answer] };
}

/** As RFC 6303 writes it for zones that exist on one host only. Its last figure is how long a resolver may remember "no". */
function authorityOf(zone: string, serial: number): Answer {
  return {
    type: 'SOA',
    name: zone,
    ttl: NEGATIVE_TTL_SECONDS,
    data: {
      mname: zone,
      rname: 'nobody.invalid',
      serial,
      refresh: 3600,
      retry: 1200,
      expire: 604_800,
      minimum: NEGATIVE_TTL_SECONDS,
    },
  };
}
