import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { createMachineHome } from '../support/artifacts.ts';
import { runProcess } from '../support/run-process.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];
/** A service that takes its time to end; only openrc, when it is asked, has it say so. */
const SERVICE = `#!/sbin/openrc-run
start() { return 0; }
stop() { sleep 1; echo ended > /root/ended; sync; }
`;

test('openrc-init is process 1, ends its services and powers off when the machine is stopped', async () => {
  await using home = await createMachineHome();
  const tar = join(home.root, 'openrc.tar');
  const customize = [
    'ln -sf openrc-init "$1/usr/sbin/init"',
    `printf '%s' '${SERVICE}' > "$1/etc/init.d/slow"`,
    'chmod +x "$1/etc/init.d/slow"',
    'ln -s /etc/init.d/slow "$1/etc/runlevels/default/slow"',
  ].join(' && ');
  const made = await runProcess('mmdebstrap', [
    ...['--quiet', '--variant=minbase', '--include=openrc,sysvinit-core', '--dpkgopt=force-unsafe-io'],
    ...['--aptopt=Acquire::Retries "3"', '--aptopt=Acquire::http::Timeout "30"'],
    ...[`--customize-hook=${customize}`, 'bookworm', tar],
  ]);
  assert.equal(made.status, 0, made.stderr);
  await home.succeed(['image', 'import', tar, '--name', 'openrc']);
  await home.succeed(['vm', 'create', '--image', 'openrc', '--name', 'rc', ...SMALL]);
  const { text: shown } = await home.succeed(['vm', 'show', '--json', 'rc']);
  assert.match(shown, /"init": ?"openrc"/);
  const started = async () => {
    const { text } = await home.cli(['vm', 'exec', 'rc', '--', 'rc-status', 'default']);
    return /slow\s+\[\s+started/.test(text) || undefined;
  };
  await pollUntil(started, { signal: AbortSignal.timeout(180_000), maxMs: 500 });
  const { stderr } = await home.succeed(['vm', 'stop', 'rc', '--timeout', '60s']);
  assert.doesNotMatch(stderr, /killed/);
  await home.succeed(['vm', 'start', 'rc']);
  const { text: ended } = await home.succeed(['vm', 'exec', 'rc', '--', 'cat', '/root/ended']);
  assert.equal(ended, 'ended');
});
