/** The cells of all table rows of a Markdown text, without header and separator rows. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const isRow =
      line.trimStart().startsWith('|') && !isSeparator(line) && !isSeparator(lines[index + 1] ?? '');
    return isRow
      ? [
          line
            .trim()
            .replace(/^\||\|$/g, '')
            .split('|')
            .map((cell) => cell.trim()),
        ]
      : [];
  });
}

function isSeparator(line: string): boolean {
  return /^\s*\|[\s:|-]+\|\s*$/.test(line);
}

export function headings(text: string, level: number): string[] {
  const pattern = new RegExp(`^#{${level}} +(.+?)\\s*$`, 'gm');
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}
