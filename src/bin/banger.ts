import { homeFolder } from '#base/home-folder.ts';
import { runCli } from '#cli/main.ts';
import { resolveLayout } from '#contract/layout.ts';
import { exposeCollector } from '#host/expose-collector.ts';

const uid = process.getuid?.() ?? 0;
const layout = resolveLayout(process.env, uid, homeFolder(process.env));
const program = process.execPath;
const entry = `${import.meta.dirname}/${import.meta.filename.endsWith('.ts') ? 'bangerd.ts' : 'bangerd.js'}`;

exposeCollector();
void runCli(process.argv.slice(2), {
  env: process.env,
  layout,
  terminal: process,
  async startDaemon(options) {
    const { startDaemon } = await import('#host/start-daemon.ts');
    const { socketPath, logPath } = layout;
    return startDaemon({ program, entry, socketPath, logPath, env: process.env }, options);
  },
  async openMachine() {
    const { LocalMachine } = await import('#host/local-machine.ts');
    return new LocalMachine({ program, entry });
  },
  // Explicit, because a stdin that is still open would keep the process here.
}).then((status) => process.exit(status));
