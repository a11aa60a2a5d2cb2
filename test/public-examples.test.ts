import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const DOOR = join(ROOT, 'src', 'index.ts');

/** The compiler options of the repository, with the name of the package for the sources of its public door. */
function readOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
    readonly config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  // Unused values are what an example ends with.
  return { ...options, paths: { barograph: [DOOR] }, noUnusedLocals: false };
}

/** Compiles texts as files of the repository and gives what the compiler complains of, one line each. */
function complaintsOf(examples: ReadonlyMap<string, string>): readonly string[] {
  const options = readOptions();
  const host = ts.createCompilerHost(options);
  const onDisk = { getSourceFile: host.getSourceFile.bind(host), fileExists: host.fileExists.bind(host) };
  host.fileExists = (path) => examples.has(path) || onDisk.fileExists(path);
  host.getSourceFile = (path, target) => {
    const text = examples.get(path);
    return text === undefined ? onDisk.getSourceFile(path, target) : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram({ rootNames: [...examples.keys()], options, host });
  return [...examples.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  });
}

/** The doc comment as it stands: the compiler would take a decorator in an example for a tag. */
function docOf({ declarations = [] }: ts.Symbol): string {
  const [declared] = declarations;
  const statement = declared && (ts.findAncestor(declared, ts.isVariableStatement) ?? declared);
  const [, , comment = ''] = /^(\s*)(\/\*\*(?:(?!\*\/)[^])*\*\/)?/.exec(statement?.getFullText() ?? '') ?? [];
  return comment.replaceAll(/^ *\* ?/gm, '');
}

/** The doc comments of the functions and classes that the public door exports, by name. */
function readDocs(): ReadonlyMap<string, string> {
  const program = ts.createProgram({ rootNames: [DOOR], options: readOptions() });
  const checker = program.getTypeChecker();
  const door = program.getSourceFile(DOOR);
  const module = door && checker.getSymbolAtLocation(door);
  const docs = new Map<string, string>();
  for (const exported of module ? checker.getExportsOfModule(module) : []) {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    if ((symbol.flags & ts.SymbolFlags.Value) === 0) continue;
    docs.set(symbol.name, docOf(symbol));
  }
  return docs;
}

const codeOf = (doc: string): string => /@example\n```ts\n([^]*?)\n```/.exec(doc)?.[1] ?? '';
const fileOf = (name: string): string => join(ROOT, 'test', `example-${name}.ts`);

describe('the examples of the public door', () => {
  let docs: ReadonlyMap<string, string>;
  beforeAll(() => {
    docs = readDocs();
  });

  it('an example stands on every function and class that the package exports', () => {
    expect(docs.size).toBeGreaterThan(20);
    expect([...docs].filter(([, doc]) => codeOf(doc) === '').map(([name]) => name)).toEqual([]);
  });

  it('an example compiles under the strict options of the repository, as its reader would paste it', () => {
    const examples = new Map([...docs].map(([name, doc]) => [fileOf(name), `${codeOf(doc)}\nexport {};\n`]));
    expect(complaintsOf(examples)).toEqual([]);
  });

  it('an example with an error is found by this check', () => {
    const wrong = `import { step } from 'barograph';\nstep({ name: 'no such step', substep: 'x' }, () => 1);\n`;
    expect(complaintsOf(new Map([[fileOf('wrong'), wrong]]))).toHaveLength(1);
  });
});
