import ts from 'typescript';

/** What is wrong with how a file of src/ writes its imports; the layers are judged elsewhere. */
export function findImportProblems(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const problems = specifiersOf(source).flatMap((specifier) => specifierProblems(path, specifier));
  if (isBarrel(source) && path !== 'src/sdk/index.ts')
    problems.push(`${path}: only passes on what others export`);
  if (/(^|\/)index\.ts$/.test(path) && path !== 'src/sdk/index.ts')
    problems.push(`${path}: is named index.ts`);
  return problems;
}

function specifierProblems(path: string, specifier: string): string[] {
  if (/^\.\.?\//.test(specifier)) {
    const folder = path.split('/').slice(0, -1);
    const target = new URL(specifier, `file:///${folder.join('/')}/`).pathname.slice(1);
    const [, top] = path.split('/');
    // Tests reach what is only theirs by its path: no alias leads out of src/.
    const isTestsOwn = path.endsWith('.test.ts') && target.startsWith('test/');
    if (!target.startsWith(`src/${top}/`) && !isTestsOwn) {
      return [`${path}: '${specifier}' leaves src/${top}/, write it as #folder/file.ts`];
    }
  } else if (specifier.startsWith('#')) {
    const [, top] = path.split('/');
    if (specifier.startsWith(`#${top}/`))
      return [`${path}: '${specifier}' stays in src/${top}/, write it with ./ or ../`];
  } else {
    return isPrefixed(specifier)
      ? []
      : [`${path}: '${specifier}' is built into Node, write node:${specifier}`];
  }
  return /\.(ts|json)$/.test(specifier) ? [] : [`${path}: '${specifier}' has no .ts`];
}

const BUILT_IN =
  /^(assert|buffer|child_process|crypto|dgram|dns|events|fs|http|https|module|net|os|path|process|readline|stream|string_decoder|timers|tls|tty|url|util|v8|vm|worker_threads|zlib)(\/|$)/;

function isPrefixed(specifier: string): boolean {
  return !BUILT_IN.test(specifier);
}

function specifiersOf(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier))
        found.push(node.moduleSpecifier.text);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteralLike(argument)) found.push(argument.text);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      if (ts.isStringLiteral(node.argument.literal)) found.push(node.argument.literal.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isBarrel(source: ts.SourceFile): boolean {
  const { statements } = source;
  return (
    statements.length > 0 && statements.every((one) => ts.isExportDeclaration(one) && one.moduleSpecifier)
  );
}
