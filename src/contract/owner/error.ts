import * as z from 'zod';

/** The body of every response with a status of 400 or more. */
export const errorBodySchema = z.object({
  error: z.object({
    code: z.string().describe('stable code, see docs/errors.md'),
    message: z.string(),
    hint: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
    operationId: z.string().optional(),
  }),
});

export type ErrorBody = z.infer<typeof errorBodySchema>;
