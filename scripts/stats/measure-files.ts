import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export const FILE_LINES_CAP = 400;
export const FUNCTION_LINES_CAP = 60;

export interface FileFacts {
  path: string;
  lines: number;
  commentLines: number;
  functions: FunctionFacts[];
}

export interface FunctionFacts {
  name: string;
  line: number;
  lines: number;
}

/** Every file of the repository that ends in one of these, whether already committed or only written. */
export function listFiles(root: string, endings: readonly string[]): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const output = execFileSync('git', ['-c', 'safe.directory=*', ...args], { cwd: root, encoding: 'utf8' });
  const paths = output.split('\0').filter((path) => endings.some((ending) => path.endsWith(ending)));
  return [...new Set(paths)].filter((path) => existsSync(join(root, path))).toSorted();
}

export function isTest(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts') || path.endsWith('/conformance.ts');
}

export function measureFile(root: string, path: string): FileFacts {
  const text = readFileSync(join(root, path), 'utf8');
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (!path.endsWith('.ts')) return { path, lines, commentLines: countCComments(text), functions: [] };
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, lines, commentLines: countComments(text, source), functions: listFunctions(source) };
}

function listFunctions(source: ts.SourceFile): FunctionFacts[] {
  const found: FunctionFacts[] = [];
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = lineOf(node.getStart(source));
      const name = node.name?.getText(source) ?? nameOfParent(node, source);
      found.push({ name, line: first + 1, lines: lineOf(node.end) - first + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function nameOfParent(node: ts.Node, source: ts.SourceFile): string {
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText(source);
  return '(anonymous)';
}

/** Lines that hold nothing but a comment. */
function countComments(text: string, source: ts.SourceFile): number {
  const code = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (node.getChildCount(source) === 0 && node.getWidth(source) > 0 && !ts.isJSDoc(node)) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const last = source.getLineAndCharacterOfPosition(node.end).line;
      for (let line = first; line <= last; line += 1) code.add(line);
    }
    for (const child of node.getChildren(source)) if (!ts.isJSDoc(child)) visit(child);
  };
  visit(source);
  return text.split('\n').filter((line, index) => line.trim() !== '' && !code.has(index)).length;
}

function countCComments(text: string): number {
  return text.split('\n').filter((line) => /^\s*(\/\/|\/\*|\*)/.test(line)).length;
}
