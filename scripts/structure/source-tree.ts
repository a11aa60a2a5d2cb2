import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { collectExports, collectUses, type NamingFile } from './exported-names.ts';
import {
  countLines,
  createResolver,
  importedBy,
  listSources,
  readPackage,
  sourceOf,
  type Module,
  type PackageModules,
  type Resolve,
} from './import-graph.ts';

/** What ships, and what builds what ships. */
const PRODUCT = ['src', 'exporters', 'dashboards'] as const;

/** What proves, measures and builds the product. */
const SURROUNDINGS = ['test', 'bench', 'scripts'] as const;

/** A file of the tree, parsed once for all measures. Nodes stand parents before children; imports are resolved, and stand once each. */
export interface ParsedFile extends Module, NamingFile {
  readonly text: string;
  readonly lines: number;
  /** As written: `../../x.ts`, once for each import. */
  readonly specifiers: readonly string[];
}

/** All TypeScript files of a checkout. */
export interface SourceTree {
  readonly product: readonly ParsedFile[];
  readonly surroundings: readonly ParsedFile[];
  /** The source files that package.json offers to others: what they export needs no importer. */
  readonly doors: ReadonlySet<string>;
}

/** Reads and parses the checkout at `root`. */
export function readSourceTree(root: string): SourceTree {
  const paths = listSources(root, [...PRODUCT, ...SURROUNDINGS]);
  const texts = paths.map((path) => [path, readFileSync(join(root, path), 'utf8')] as const);
  return parseTree(new Map(texts), readPackage(root));
}

/** Parses files, given by their paths from the root. */
export function parseTree(
  texts: ReadonlyMap<string, string>,
  { imports, exports, bin }: PackageModules,
): SourceTree {
  const resolve = createResolver(imports);
  const files = [...texts].map(([path, text]) => parseFile(path, text, resolve));
  const isIn = (folders: readonly string[]) => (file: ParsedFile) =>
    folders.some((folder) => file.path.startsWith(`${folder}/`));
  const doors = [...Object.values(exports), ...Object.values(bin)].map(sourceOf);
  return {
    product: files.filter(isIn(PRODUCT)),
    surroundings: files.filter(isIn(SURROUNDINGS)),
    doors: new Set(doors.filter((path) => path !== null)),
  };
}

/** Parses one file for all measures. */
export function parseFile(path: string, text: string, resolve: Resolve = createResolver()): ParsedFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const specifiers = nodes.map(importedBy).filter((specifier) => specifier !== null);
  const toPath = (specifier: string) => resolve(path, specifier);
  return {
    ...{ path, text, nodes, specifiers, lines: countLines(text) },
    imports: [...new Set(specifiers.map(toPath))].sort(),
    exported: collectExports(tree, toPath),
    uses: collectUses(nodes, toPath),
  };
}

/** The folder of a file, from the root. */
export const folderOf = (path: string): string => posix.dirname(path);

/** The name of a file without folder and extension. */
export const baseNameOf = (path: string): string => posix.basename(path).replace(/\.m?ts$/, '');
