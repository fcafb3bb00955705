/** What is wrong with one field of a request. */
export interface FieldIssue {
  /** `ports.0.guest`; empty for the whole. */
  field: string;
  message: string;
}

/** From zod's issues. */
export function fieldIssues(
  issues: readonly { path: readonly PropertyKey[]; message: string }[],
): FieldIssue[] {
  return issues.map(({ path, message }) => ({
    field: path.map(String).join('.'),
    message: message.replace(/^Invalid input: /, ''),
  }));
}

export function sentenceOf(issues: readonly FieldIssue[]): string {
  return issues.map(({ field, message }) => (field === '' ? message : `"${field}": ${message}`)).join('; ');
}
