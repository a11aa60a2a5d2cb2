import ts from 'typescript';
import { importedBy } from './import-graph.ts';

/** Every name of a module. */
const ALL = '*';

/** A name that a file exports; one that it only passes on names its origin, `*` for all names of that file. */
export interface Exported {
  readonly name: string;
  readonly isType: boolean;
  readonly origin: { readonly path: string; readonly name: string } | null;
}

/** A name that a file takes from another one, or all of them. */
export interface Use {
  readonly path: string;
  readonly name: string;
}

/** What of a parsed file is needed to follow names through it. */
export interface NamingFile {
  readonly path: string;
  readonly nodes: readonly ts.Node[];
  readonly exported: readonly Exported[];
  readonly uses: readonly Use[];
}

type ToPath = (specifier: string) => string;

/** The names that a file exports. */
export function collectExports(tree: ts.SourceFile, toPath: ToPath): readonly Exported[] {
  return tree.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) return reexports(statement, toPath);
    if (ts.isExportAssignment(statement)) return [{ name: 'default', isType: false, origin: null }];
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
    return declaredNames(statement).map((name) => ({ name, isType, origin: null }));
  });
}

function reexports(node: ts.ExportDeclaration, toPath: ToPath): readonly Exported[] {
  const specifier = importedBy(node);
  const path = specifier === null ? null : toPath(specifier);
  const from = (name: string) => (path === null ? null : { path, name });
  if (node.exportClause === undefined) return [{ name: ALL, isType: false, origin: from(ALL) }];
  if (ts.isNamespaceExport(node.exportClause))
    return [{ name: node.exportClause.name.text, isType: false, origin: from(ALL) }];
  return node.exportClause.elements.map(({ name, propertyName, isTypeOnly }) => ({
    name: name.text,
    isType: node.isTypeOnly || isTypeOnly,
    origin: from((propertyName ?? name).text),
  }));
}

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}

function boundNames(name: ts.BindingName): readonly string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** The names that a file imports for itself; what it only passes on is no use. */
export function collectUses(nodes: readonly ts.Node[], toPath: ToPath): readonly Use[] {
  return nodes.flatMap((node) => {
    const specifier = ts.isExportDeclaration(node) ? null : importedBy(node);
    if (specifier === null) return [];
    return importedNames(node).map((name) => ({ path: toPath(specifier), name }));
  });
}

function importedNames(node: ts.Node): readonly string[] {
  if (ts.isImportTypeNode(node)) return [firstName(node.qualifier)];
  if (!ts.isImportDeclaration(node)) return namesOfDynamicImport(node);
  const clause = node.importClause;
  if (clause === undefined) return [];
  const bindings = clause.namedBindings;
  const named =
    bindings === undefined
      ? []
      : ts.isNamespaceImport(bindings)
        ? [ALL]
        : bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
  return clause.name === undefined ? named : ['default', ...named];
}

/** `const { a } = await import(…)` uses `a`; every other form may use all. */
function namesOfDynamicImport(node: ts.Node): readonly string[] {
  const declaration = ts.isAwaitExpression(node.parent) ? node.parent.parent : node.parent;
  if (!ts.isVariableDeclaration(declaration) || !ts.isObjectBindingPattern(declaration.name)) return [ALL];
  return declaration.name.elements.map(({ name, propertyName, dotDotDotToken }) => {
    const taken = propertyName ?? name;
    return dotDotDotToken === undefined && ts.isIdentifier(taken) ? taken.text : ALL;
  });
}

function firstName(name: ts.EntityName | undefined): string {
  if (name === undefined) return ALL;
  return ts.isIdentifier(name) ? name.text : firstName(name.left);
}

/**
 * The names of `files`, as `path#name`, that neither the doors nor one of the `users` reach.
 *
 * A type that its own file uses belongs to the signature of something exported there, and is none of them.
 */
export function unusedExports(
  files: readonly NamingFile[],
  users: readonly NamingFile[],
  doors: ReadonlySet<string>,
): readonly string[] {
  const reached = reachedNames(new Map([...files, ...users].map((file) => [file.path, file])), users, doors);
  return files.flatMap((file) =>
    file.exported
      .filter(({ name }) => name !== ALL)
      .filter(({ name }) => !reached.has(`${file.path}#${name}`) && !reached.has(`${file.path}#${ALL}`))
      .filter(({ name, isType, origin }) => !isType || origin !== null || !isUsedInside(file, name))
      .map(({ name }) => `${file.path}#${name}`),
  );
}

function reachedNames(
  files: ReadonlyMap<string, NamingFile>,
  users: readonly NamingFile[],
  doors: ReadonlySet<string>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const reach = (path: string, name: string): void => {
    if (reached.has(`${path}#${name}`)) return;
    reached.add(`${path}#${name}`);
    for (const { name: passed, origin } of files.get(path)?.exported ?? []) {
      if (origin === null) continue;
      if (passed === ALL) reach(origin.path, name);
      else if (name === ALL || name === passed) reach(origin.path, origin.name);
    }
  };
  for (const path of doors) reach(path, ALL);
  for (const { uses } of users) for (const { path, name } of uses) reach(path, name);
  return reached;
}

const isUsedInside = ({ nodes }: NamingFile, name: string): boolean =>
  nodes.filter((node) => ts.isIdentifier(node) && node.text === name).length > 1;
