import ts from 'typescript';
import { RETIRED, type Retired } from './retired-names.ts';
import { baseNameOf, type ParsedFile } from './source-tree.ts';

/** Declared names and names of files that are retired, with their place and the better word. */
export interface RetiredUses {
  readonly names: readonly string[];
  readonly fileNames: readonly string[];
}

/** Finds retired names among the declarations and the file names of some files. Prose and uses do not count. */
export function retiredNames(
  files: readonly ParsedFile[],
  retired: readonly Retired[] = RETIRED,
): RetiredUses {
  const names = indexOf(retired, ({ names: of }) => of ?? []);
  const fileNames = indexOf(retired, ({ files: of }) => of ?? []);
  const find = (index: ReadonlyMap<string, readonly Retired[]>, name: string, path: string) =>
    index.get(name)?.find((each) => appliesTo(each, path));
  return {
    names: files.flatMap(({ path, nodes }) =>
      nodes.flatMap((node) => {
        const name = declaredName(node);
        const found = name === null ? undefined : find(names, name.text.replace('#', ''), path);
        return name === null || found === undefined
          ? []
          : [`${path}:${lineOf(name)} ${name.text} → ${found.instead}`];
      }),
    ),
    fileNames: files.flatMap(({ path }) => {
      const found = find(fileNames, baseNameOf(path).replace(/\.test$/, ''), path);
      return found === undefined ? [] : [`${path} → ${found.instead}`];
    }),
  };
}

function indexOf(
  retired: readonly Retired[],
  namesOf: (each: Retired) => readonly string[],
): ReadonlyMap<string, readonly Retired[]> {
  const index = new Map<string, Retired[]>();
  for (const each of retired)
    for (const name of namesOf(each)) index.set(name, [...(index.get(name) ?? []), each]);
  return index;
}

const appliesTo = ({ within, except }: Retired, path: string): boolean =>
  (within === undefined || within.some((part) => isIn(path, part))) &&
  !(except ?? []).some((part) => isIn(path, part));

/** A part is a folder from the root, of the sources or of the tests that mirror them, or the name of a file. */
const isIn = (path: string, part: string): boolean => {
  const [source, test] = [`${part}/`, `test/${part.replace(/^src\//, '')}/`];
  return path.startsWith(source) || path.startsWith(test) || baseNameOf(path).replace(/\.test$/, '') === part;
};

const lineOf = (node: ts.Node): number =>
  node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1;

/** The name that a node gives to something: a binding, a parameter, a type, a function or a member. */
function declaredName(node: ts.Node): ts.Identifier | ts.PrivateIdentifier | null {
  const isDeclaration =
    ts.isVariableDeclaration(node) ||
    ts.isBindingElement(node) ||
    ts.isParameter(node) ||
    ts.isFunctionLike(node) ||
    ts.isClassLike(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isPropertySignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isPropertyAssignment(node);
  if (!isDeclaration || node.name === undefined) return null;
  return ts.isIdentifier(node.name) || ts.isPrivateIdentifier(node.name) ? node.name : null;
}
