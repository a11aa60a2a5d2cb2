import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

/** Turns the specifier of an import into a path from the root, or leaves the name of a package as it is. */
export type Resolve = (importer: string, specifier: string) => string;

/** Reads all TypeScript files below these folders of `root`, in the order of their paths. */
export function readSources(root: string, folders: readonly string[]): readonly SourceFile[] {
  const resolve = createResolver(readPackage(root).imports);
  return listSources(root, folders).map((path) =>
    parseSource(path, readFileSync(join(root, path), 'utf8'), resolve),
  );
}

/** The paths of all TypeScript files below these folders of `root`, sorted; a folder that is missing has none. */
export function listSources(root: string, folders: readonly string[]): readonly string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        posix.join(folder, name.replaceAll('\\', '/')),
      ),
    )
    .filter((path) => /\.m?ts$/.test(path) && !/\.d\.m?ts$/.test(path))
    .sort();
}

/** What package.json states about its modules. A target is a path, or one path for each condition. */
export interface PackageModules {
  readonly imports: Readonly<Record<string, unknown>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, unknown>>;
}

/** Reads the fields of package.json under `root`; a field or a file that is missing is empty. */
export function readPackage(root: string): PackageModules {
  const path = join(root, 'package.json');
  const fields = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<PackageModules>) : {};
  return { imports: fields.imports ?? {}, exports: fields.exports ?? {}, bin: fields.bin ?? {} };
}

/**
 * Resolves relative imports and package imports (`#facts/span`), the longest pattern first, as Node does.
 *
 * @param imports the field `imports` of package.json; a target below `dist/` stands for its source
 */
export function createResolver(imports: PackageModules['imports'] = {}): Resolve {
  const patterns = Object.entries(imports).flatMap(([key, target]) => {
    const [head = '', tail] = key.split('*');
    const path = sourceOf(target);
    return path === null ? [] : [{ head, tail, path }];
  });
  patterns.sort((a, b) => b.head.length - a.head.length);
  return (importer, specifier) => {
    if (specifier.startsWith('.')) return posix.join(posix.dirname(importer), specifier);
    for (const { head, tail, path } of patterns) {
      if (tail === undefined && specifier === head) return path;
      if (tail === undefined || !specifier.startsWith(head) || !specifier.endsWith(tail)) continue;
      if (specifier.length < head.length + tail.length) continue;
      return path.replaceAll('*', specifier.slice(head.length, specifier.length - tail.length));
    }
    return specifier;
  };
}

/** The source file that a target of package.json is, or is built from; null if it is no module of ours. */
export function sourceOf(target: unknown): string | null {
  const targets = targetsOf(target).map((path) => posix.normalize(path));
  const source = targets.find((path) => !path.startsWith('dist/') && /(\.m?ts|\*)$/.test(path));
  if (source !== undefined) return source;
  const built = targets.find((path) => path.startsWith('dist/') && /(\.js|\*)$/.test(path));
  return built === undefined ? null : built.replace(/^dist\//, '').replace(/\.js$/, '.ts');
}

function targetsOf(target: unknown): readonly string[] {
  if (typeof target === 'string') return [target];
  return typeof target === 'object' && target !== null ? Object.values(target).flatMap(targetsOf) : [];
}

/** Parses one file; imports of types and dynamic ones count like all others. */
export function parseSource(path: string, text: string, resolve: Resolve = createResolver()): SourceFile {
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
  return {
    path,
    imports: [...imports].map((specifier) => resolve(path, specifier)).sort(),
    lines: countLines(text),
    hasDefaultExport,
    usesConsole,
  };
}

/** The lines of a text; a line break at its end begins no further line. */
export const countLines = (text: string): number => text.replace(/\n$/, '').split('\n').length;

/** The specifier by which a node imports a module, or null. */
export function importedBy(node: ts.Node): string | null {
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
function partOf(path: string, table: ImportTable): string | null {
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
