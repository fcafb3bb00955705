/** The code of a UserError, also of one that another copy of banger made: a storm may use the bundle. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'UserError' || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
