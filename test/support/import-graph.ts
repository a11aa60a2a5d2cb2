import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** What a source file imports: paths from the root of the repository for files, names for everything else. */
export interface Module {
  readonly path: string;
  readonly imports: readonly string[];
}

/** A source file with what the house style asks of it. */
export interface SourceFile extends Module {
  readonly lines: number;
  readonly hasDefaultExport: boolean;
  readonly usesConsole: boolean;
}

/** A part of the repository (a folder or a file) and what it may import beside itself. */
export type ImportTable = Readonly<Record<string, readonly string[]>>;

/** Reads all TypeScript files below these folders of `root`, in the order of their paths. */
export function readSources(root: string, folders: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        posix.join(folder, name.replaceAll('\\', '/')),
      ),
    )
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

/** Parses one file; imports of types and dynamic ones count like all others. */
export function parseSource(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = new Set<string>();
  let hasDefaultExport = false;
  let usesConsole = false;
  const visit = (node: ts.Node): void => {
    const specifier = importedBy(node);
    if (specifier !== null) imports.add(specifier);
    hasDefaultExport ||= isDefaultExport(node);
    usesConsole ||= ts.isIdentifier(node) && node.text === 'console';
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const toPath = (specifier: string) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;
  return {
    path,
    imports: [...imports].map(toPath).sort(),
    lines: text.replace(/\n$/, '').split('\n').length,
    hasDefaultExport,
    usesConsole,
  };
}

function importedBy(node: ts.Node): string | null {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return textOf(node.arguments[0]);
  return null;
}

const textOf = (node: ts.Node | undefined): string | null =>
  node !== undefined && ts.isStringLiteralLike(node) ? node.text : null;

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
}

/** `node:` stands for everything of Node; a folder or package for all that is in it. */
const covers = (entry: string, target: string): boolean =>
  entry === target || target.startsWith(entry.endsWith(':') ? entry : `${entry}/`);

/** The part that a path belongs to: the longest that covers it. */
export function partOf(path: string, table: ImportTable): string | null {
  const parts = Object.keys(table).filter((part) => covers(part, path));
  return parts.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** Every import that the table does not allow, in words. A file that belongs to no part is one, too. */
export function forbiddenImports(modules: readonly Module[], table: ImportTable): readonly string[] {
  return modules.flatMap(({ path, imports }) => {
    const part = partOf(path, table);
    if (part === null) return [`${path} belongs to no part of the table`];
    const allowed = table[part] ?? [];
    return imports
      .filter((target) => partOf(target, table) !== part && !allowed.some((entry) => covers(entry, target)))
      .map((target) => `${path} imports ${target}; ${part} may import ${allowed.join(', ') || 'nothing'}`);
  });
}

/** The modules that import anything that `entry` covers. */
export const importersOf = (modules: readonly Module[], entry: string): readonly string[] =>
  modules.filter(({ imports }) => imports.some((target) => covers(entry, target))).map(({ path }) => path);

/** Circles of imports, each as the list of its files, found depth first. */
export function importCycles(modules: readonly Module[]): readonly (readonly string[])[] {
  const importsOf = new Map(modules.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const cycles: (readonly string[])[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push(trail.slice(trail.indexOf(path)));
    if (trail.includes(path) || done.has(path)) return;
    for (const target of importsOf.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return cycles;
}
