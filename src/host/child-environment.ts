/** What any program may need. The rest of the environment is the user's, and may hold secrets. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'XDG_RUNTIME_DIR'];
/** What is needed to reach the network. */
const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'];
/** What the daemon reads besides: where its folders are, and how Node runs. */
const DAEMON_PREFIXES = ['XDG_', 'BANGER_', 'LC_'];
const DAEMON_VARIABLES = ['LANG', 'TZ', 'NODE_COMPILE_CACHE', 'NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE'];

/** What programs print is read, so it is to be in one language. */
const LANGUAGE = { LC_ALL: 'C.UTF-8' };

export interface ChildEnvironmentOptions {
  /** Of this program only. */
  extra?: Readonly<Record<string, string>> | undefined;
  /** The program reaches out to the network. */
  proxies?: boolean | undefined;
}

/** The environment of a program that the daemon runs. */
export function childEnvironment(
  options: ChildEnvironmentOptions = {},
  own: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const isPassedOn = (name: string) =>
    PASSED_ON.includes(name) || (options.proxies === true && isProxy(name));
  return { ...pick(own, isPassedOn), ...LANGUAGE, ...options.extra };
}

/** The environment of the daemon, out of that of whoever starts it. */
export function daemonEnvironment(own: NodeJS.ProcessEnv): Record<string, string> {
  const isNeeded = (name: string) =>
    PASSED_ON.includes(name) ||
    isProxy(name) ||
    DAEMON_VARIABLES.includes(name) ||
    DAEMON_PREFIXES.some((prefix) => name.startsWith(prefix));
  return pick(own, isNeeded);
}

function isProxy(name: string): boolean {
  return PROXIES.includes(name.toLowerCase());
}

function pick(environment: NodeJS.ProcessEnv, isWanted: (name: string) => boolean): Record<string, string> {
  const wanted: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && isWanted(name)) wanted[name] = value;
  }
  return wanted;
}
