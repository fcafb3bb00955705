import * as z from 'zod';
import { DEFAULT_IMAGE, MAX_VCPUS, MIN_MEMORY_MIB, networkModeSchema } from '#contract/owner/vm.ts';
import type { ConfigKey } from './config-key.ts';
import { catalogsSchema, certificateFilesSchema, mirrorsSchema } from './registry-schemas.ts';
import { diskSizeSchema, durationSchema, resolversSchema } from './value-schemas.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const key = <T>(description: ConfigKey<T>): ConfigKey<T> => description;

/** Every key that a file may hold. A new one is one entry here, and one line in `toConfig`. */
export const CONFIG_KEYS = {
  log_level: key({
    kind: 'text',
    takes: 'debug, info, warn or error',
    fallback: 'info',
    description: 'what the daemon writes to its log; BANGER_LOG_LEVEL wins over it',
    schema: z.enum(LOG_LEVELS),
  }),
  accelerator: key({
    kind: 'text',
    takes: 'auto, kvm or tcg',
    fallback: 'auto',
    description: 'how machines run: auto takes KVM where it really works, tcg is emulation',
    schema: z.enum(['auto', 'kvm', 'tcg']),
  }),
  agent_timeout: key({
    kind: 'text',
    takes: 'a duration, 1s to 24h',
    fallback: '90s',
    description: 'how long a guest may take from launch until its agent answers',
    schema: durationSchema({ min: '1s', max: '24h' }),
  }),
  lifeless_after: key({
    kind: 'text',
    takes: 'a duration, 1s to 24h',
    fallback: '20s',
    description: 'how long its kernel may take until it prints something; then it is launched again',
    schema: durationSchema({ min: '1s', max: '24h' }),
  }),
  default_image_name: key({
    kind: 'text',
    takes: 'the name of an image',
    fallback: DEFAULT_IMAGE,
    description: 'the image of a VM that names none',
    schema: z.string().min(1),
  }),
  auto_stop_stale_after: key({
    kind: 'text',
    takes: 'a duration, 1s to 8784h, or 0',
    fallback: '0',
    description: 'stop a VM that nobody used for so long; 0: never',
    schema: durationSchema({ min: '1s', max: '8784h', zeroIsOff: true }),
  }),
  stats_poll_interval: key({
    kind: 'text',
    takes: 'a duration, 1s to 1h',
    fallback: '5s',
    description: 'how often the figures of running VMs are taken',
    schema: durationSchema({ min: '1s', max: '1h' }),
  }),
  dns_port: key({
    kind: 'number',
    takes: 'a port, or 0',
    fallback: 42_069,
    description: 'where the name server listens on 127.0.0.1, UDP and TCP; 0: any free port',
    schema: z.number().int().min(0).max(65_535),
  }),
  default_dns: key({
    kind: 'list',
    takes: '1 to 3 IPv4 addresses',
    otherwise: 'those of the host',
    description: 'the resolvers that guests are given',
    schema: resolversSchema,
  }),
  registry_mirrors: key({
    kind: 'list',
    takes: 'REGISTRY=URL, up to 32',
    otherwise: 'none',
    description: 'where images of a registry are looked for before the registry itself',
    schema: mirrorsSchema,
  }),
  registry_certificates: key({
    kind: 'list',
    takes: 'absolute paths of PEM files',
    otherwise: 'those of the host alone',
    description: 'authorities to trust besides when images are pulled',
    schema: certificateFilesSchema,
  }),
  catalogs: key({
    kind: 'list',
    takes: 'absolute paths and https URLs, up to 32',
    otherwise: 'the built-in one alone',
    description: 'catalogs of images and kernels besides the built-in one',
    schema: catalogsSchema,
  }),
  'vm_defaults.vcpu': key({
    kind: 'number',
    takes: `a number, 1 to ${MAX_VCPUS}`,
    otherwise: 'a quarter of those of the host, 2 to 4',
    description: 'virtual CPUs of a new VM',
    schema: z.number().int().min(1).max(MAX_VCPUS),
  }),
  'vm_defaults.memory_mib': key({
    kind: 'number',
    takes: `MiB, ${MIN_MEMORY_MIB} or more`,
    otherwise: 'an eighth of that of the host, 1024 to 8192',
    description: 'memory of a new VM',
    schema: z.number().int().min(MIN_MEMORY_MIB),
  }),
  'vm_defaults.disk_size': key({
    kind: 'text',
    takes: 'a size such as 8G',
    otherwise: 'as large as the image',
    description: 'root disk of a new VM; never smaller than its image',
    schema: diskSizeSchema,
  }),
  'vm_defaults.network': key({
    kind: 'text',
    takes: networkModeSchema.options.join(' or '),
    fallback: 'user',
    description: 'how a new VM is connected',
    schema: networkModeSchema,
  }),
} as const;

export type KeyName = keyof typeof CONFIG_KEYS;
/** What the daemon uses of a key. */
export type KeyValue<K extends KeyName> = z.output<(typeof CONFIG_KEYS)[K]['schema']>;

export const KEY_NAMES = Object.keys(CONFIG_KEYS) as readonly KeyName[];

export function isKeyName(name: string): name is KeyName {
  return Object.hasOwn(CONFIG_KEYS, name);
}

export function describeKey(name: KeyName): ConfigKey {
  return CONFIG_KEYS[name];
}
