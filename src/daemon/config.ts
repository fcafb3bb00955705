import { join } from 'node:path';
import { TomlError, parse } from 'smol-toml';
import * as z from 'zod';
import { parseDuration } from '#base/durations.ts';
import { UserError } from '#contract/errors.ts';
import { readFileIfThere } from '#host/files.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const MIN_AGENT_TIMEOUT_MS = 1000;
const MAX_AGENT_TIMEOUT_MS = 24 * 3_600_000;

const agentTimeoutSchema = z.string().transform((text, context) => {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) context.addIssue(`"${text}" is not a duration such as "90s"`);
  else if (milliseconds < MIN_AGENT_TIMEOUT_MS || milliseconds > MAX_AGENT_TIMEOUT_MS) {
    context.addIssue(`"${text}" is not between 1s and 24h`);
  } else return milliseconds;
  return z.NEVER;
});

const configSchema = z
  .strictObject({
    /** debug, info, warn, error; `BANGER_LOG_LEVEL` wins over it. */
    log_level: z.enum(LOG_LEVELS).default('info'),
    /** `auto` takes KVM when it really works; the others force one. */
    accelerator: z.enum(['auto', 'kvm', 'tcg']).default('auto'),
    /** How long a guest may take from launch until its agent answers. */
    agent_timeout: agentTimeoutSchema.default(90_000),
    /** How long its kernel may take until it prints something; the machine is then launched again, twice at most. */
    lifeless_after: agentTimeoutSchema.default(20_000),
  })
  .transform((file) => ({
    logLevel: file.log_level,
    accelerator: file.accelerator,
    agentTimeoutMs: file.agent_timeout,
    lifelessAfterMs: file.lifeless_after,
  }));

export type Config = z.infer<typeof configSchema>;

/**
 * Reads `config.toml` of the configuration folder; a missing file is an empty one.
 *
 * @throws UserError `CONFIG_INVALID` naming the file and the key, or the variable
 */
export async function readConfig(configDir: string, environment: NodeJS.ProcessEnv): Promise<Config> {
  const path = join(configDir, 'config.toml');
  const file = parseToml(path, (await readFileIfThere(path)) ?? '');
  const parsed = configSchema.safeParse(file);
  if (!parsed.success) throw invalid(path, describeIssues(parsed.error), parsed.error);
  return { ...parsed.data, logLevel: readLogLevel(environment) ?? parsed.data.logLevel };
}

function readLogLevel(environment: NodeJS.ProcessEnv): Config['logLevel'] | undefined {
  const text = environment['BANGER_LOG_LEVEL'];
  if (text === undefined || text === '') return undefined;
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new UserError('CONFIG_INVALID', `Cannot use BANGER_LOG_LEVEL "${text}": it is no log level`, {
    hint: `set it to one of ${LOG_LEVELS.join(', ')}, or unset it`,
  });
}

function describeIssues({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `"${path.join('.')}": ${message}`))
    .join('; ');
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its message goes on with an excerpt of the file.
    const [what] = error.message.split('\n');
    throw invalid(path, `line ${error.line}, column ${error.column}: ${what}`, error);
  }
}

function invalid(path: string, why: string, cause: unknown): UserError {
  return new UserError('CONFIG_INVALID', `Cannot use the configuration "${path}": ${why}`, {
    hint: 'correct the file, or move it away to use the defaults',
    cause,
  });
}
