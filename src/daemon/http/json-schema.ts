import type { core } from 'zod';

interface Conversion {
  zodSchema: core.$ZodTypes;
  jsonSchema: core.JSONSchema.BaseSchema;
}

/** Takes out what zod says more than we mean, for whoever reads or generates code from the document. */
export function simplifySchema({ zodSchema, jsonSchema }: Conversion): void {
  const { def } = zodSchema._zod;
  // A reader has to expect fields that a newer daemon adds; only strict objects, which are requests, refuse them.
  if (def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}
