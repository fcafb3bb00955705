import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { globalRegistry, type ZodType } from 'zod';
import { silentLogger } from '#base/log.ts';
import { errorBodySchema } from '#contract/owner/error.ts';
import { execRequestSchema, execResultSchema, execStartedSchema } from '#contract/owner/exec.ts';
import { doctorReportSchema, hostSchema } from '#contract/owner/host.ts';
import { imageSchema } from '#contract/owner/image.ts';
import { kernelSchema } from '#contract/owner/kernel.ts';
import { operationSchema } from '#contract/owner/operation.ts';
import { createVmRequestSchema, stopVmRequestSchema, vmSchema } from '#contract/owner/vm.ts';
import { BUILD_HEADER } from '#contract/version.ts';
import { createApi } from './api.ts';
import { simplifySchema } from './json-schema.ts';
import type { Services } from './services.ts';

/** Get a name of their own in the document. */
const NAMED: Readonly<Record<string, ZodType>> = {
  CreateVmRequest: createVmRequestSchema,
  DoctorReport: doctorReportSchema,
  Error: errorBodySchema,
  ExecRequest: execRequestSchema,
  ExecResult: execResultSchema,
  ExecStarted: execStartedSchema,
  Host: hostSchema,
  Image: imageSchema,
  Kernel: kernelSchema,
  Operation: operationSchema,
  StopVmRequest: stopVmRequestSchema,
  Vm: vmSchema,
};

const DESCRIPTION = `The API of the banger daemon, HTTP/1.1 on a Unix socket. Each response names the daemon's build in the header
\`${BUILD_HEADER}\`; a request that names another one is refused with \`DAEMON_VERSION_MISMATCH\`.`;

let generated: Promise<string> | undefined;

/** The OpenAPI 3.1 document as text. Made when it is first asked for, from the routes themselves: a daemon seldom needs it. */
export function generateOpenApi(): Promise<string> {
  generated ??= generate();
  return generated;
}

async function generate(): Promise<string> {
  for (const [id, schema] of Object.entries(NAMED)) globalRegistry.add(schema, { id });
  const config = { zodToJsonConfig: { override: simplifySchema } };
  const { createServer } = process.getBuiltinModule('node:http');
  const api = await createApi({
    services: nobody,
    log: silentLogger,
    closing: new AbortController().signal,
    openApi: generateOpenApi,
    createServer: (listener) => createServer(listener),
    prepare: async (instance) => {
      await instance.register(swagger, {
        openapi: {
          openapi: '3.1.0',
          info: { title: 'banger', description: DESCRIPTION.replaceAll('\n', ' '), version: 'v1' },
        },
        transform: createJsonSchemaTransform(config),
        transformObject: createJsonSchemaTransformObject(config),
      });
    },
  });
  const document = JSON.stringify(api.swagger());
  await api.close();
  return `${JSON.stringify(JSON.parse(document, mergeInputs), null, 2)}\n`;
}

/** Nothing here reads differently as a request than as a response, so the second copy `XInput` of each named schema goes. */
function mergeInputs(key: string, value: unknown): unknown {
  if (key === '$ref' && typeof value === 'string') return value.replace(/Input$/, '');
  if (key !== 'schemas') return value;
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => Object.hasOwn(NAMED, name)));
}

/** Nothing is called while routes are only looked at. */
const nobody: Services = new Proxy({} as Services, { get: () => ({}) });
