import { FakeFailure } from './fake-channel.ts';
import type { FakeProgram } from './fake-program.ts';

/** @throws FakeFailure */
export function findProgram(name: string, programs: ReadonlyMap<string, FakeProgram>): FakeProgram {
  const program = programs.get(name.replace(/^\/(usr\/)?bin\//, ''));
  if (program) return program;
  if (name.startsWith('/etc/')) throw new FakeFailure('DENIED', `${name} is not executable`);
  throw new FakeFailure('NOT_FOUND', `no program "${name}"`);
}
