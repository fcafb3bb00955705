import { BUILD } from '#contract/version.ts';
import { formatFields } from './fields.ts';
import type { Output } from './output.ts';

/** One line. */
export function printVersionLine(output: Output): void {
  output.line(`banger ${BUILD.version} (commit ${BUILD.commit.slice(0, 12)}, built ${BUILD.builtAt})`);
}

/** Everything that says what is installed. */
export function printVersion(output: Output, { json }: { json: boolean }): void {
  const node = process.version;
  if (json) {
    output.json({ ...BUILD, node });
    return;
  }
  const fields = [
    ['banger', BUILD.version],
    ['commit', BUILD.commit],
    ['built', BUILD.builtAt],
    ['node', node],
  ] as const;
  output.text(formatFields(fields, output.style));
}
