import { transformSync } from 'esbuild';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { Step, step, type StepDefinition } from '#steps';
import { contextOf, recordSteps, type RecordedSteps } from './recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});

const outcome = (text: string) => ({ status: 'succeeded' as const, context: { length: text.length } });

/** What the compiler accepts stands here: the gate compiles this file under its strict options. */
class Methods {
  readonly #name = 'ab';

  @Step({ name: 'verify', outcome })
  async alone(): Promise<string> {
    return Promise.resolve(this.#name);
  }

  @Step({
    name: 'verify',
    outcome: (text: string) => ({ status: 'succeeded', context: { length: text.length } }),
  })
  async withArguments(times: number): Promise<string> {
    return Promise.resolve(this.#name.repeat(times));
  }

  @Step({ name: 'verify', identity: (run: number) => ({ runId: run }), outcome })
  async withMore(run: number, text: string): Promise<string> {
    return Promise.resolve(`${run}${text}`);
  }

  @Step({ name: 'verify', outcome })
  *generated(): Generator<number, string> {
    yield 1;
    return this.#name;
  }

  @Step({ name: 'verify', outcome })
  async *generatedLater(count: number): AsyncGenerator<number, string> {
    yield Promise.resolve(count);
    return this.#name;
  }

  // @ts-expect-error the outcome is of a number, and the method returns a text
  @Step({ name: 'verify', outcome: (count: number) => ({ status: 'succeeded', context: { count } }) })
  async wrong(): Promise<string> {
    return Promise.resolve('');
  }
}

const lengths = () => steps.take().map((span) => (contextOf(span) as { readonly length: number }).length);

describe('the types of steps', () => {
  it('@Step accepts async methods and generators, with outcomes of what they finally return', async () => {
    const methods = new Methods();
    await methods.alone();
    await methods.withArguments(2);
    await methods.withMore(1, 'bc');
    expect([...methods.generated()]).toEqual([1]);
    for await (const value of methods.generatedLater(3)) expect(value).toBe(3);
    expect(lengths()).toEqual([2, 4, 3, 2, 2]);
  });

  it('an annotated outcome is of the awaited result, for arrows and for function expressions', async () => {
    const arrow = step({ name: 'verify', outcome }, async (times: number) =>
      Promise.resolve('a'.repeat(times)),
    );
    const expression = step(
      { name: 'verify', outcome, identity: (run: number) => ({ runId: run }) },
      async function (run: number) {
        return Promise.resolve('b'.repeat(run));
      },
    );
    const ofSomebody = step({ name: 'verify', outcome }, function (this: { readonly text: string }) {
      return this.text;
    });
    for (const made of [arrow, expression]) {
      expectTypeOf(made).parameters.toEqualTypeOf<[number]>();
      expectTypeOf(made).returns.toEqualTypeOf<Promise<string>>();
      await made(2);
    }
    ofSomebody.call({ text: 'abc' });
    expect(lengths()).toEqual([2, 2, 3]);
    // @ts-expect-error the outcome is of a text, and the function returns a number
    step({ name: 'verify', outcome }, async () => Promise.resolve(1));
  });

  it('a generator keeps the types of what it yields and returns', async () => {
    const now = step({ name: 'verify', outcome }, function* (count: number) {
      yield count;
      return 'abc';
    });
    const later = step({ name: 'verify', outcome }, async function* () {
      yield Promise.resolve(2);
      return 'ab';
    });
    const silent: StepDefinition<[], Generator<number, void>> = { name: 'verify' };
    expectTypeOf(now).returns.toEqualTypeOf<Generator<number, string, unknown>>();
    expectTypeOf(later).returns.toEqualTypeOf<AsyncGenerator<number, string, unknown>>();
    for (const value of now(1)) expect(value).toBe(1);
    for await (const value of later()) expect(value).toBe(2);
    expect(lengths()).toEqual([3, 2]);
    expect([
      ...step(silent, function* () {
        yield 4;
      })(),
    ]).toEqual([4]);
    steps.take();
  });
});

/** A class as its author writes it, for both dialects. */
const SOURCE = `
class Miners {
  @Step({ name: 'verify', identity: (run: number) => ({ runId: run }) })
  async verify(run: number): Promise<number> { return this.double(run); }
  double(run: number) { return 2 * run; }
}`;

type Miners = new () => { verify(run: number): Promise<number> };

/** Runs plain JavaScript that declares the class. */
const evaluate = (code: string): Miners =>
  (runInThisContext(`(Step) => {${code}\nreturn Miners;}`) as (decorator: typeof Step) => Miners)(Step);

const LEGACY = { experimentalDecorators: true } as const;

describe('@Step with experimentalDecorators', () => {
  it.each([
    ['tsc', () => ts.transpile(SOURCE, { ...LEGACY, target: ts.ScriptTarget.ES2022 })],
    ['esbuild', () => transformSync(SOURCE, { loader: 'ts', tsconfigRaw: { compilerOptions: LEGACY } }).code],
    ['esbuild, standard', () => transformSync(SOURCE, { loader: 'ts', target: 'es2022' }).code],
  ])('a method is a step as %s compiles it', async (_compiler, compile) => {
    const Compiled = evaluate(compile());
    expect(await new Compiled().verify(21)).toBe(42);
    expect(steps.takeOne().attributes['weather.run.id']).toBe(21);
  });

  it('the types accept it', () => {
    const root = join(import.meta.dirname, '../..');
    const path = join(root, 'test/steps/legacy.ts');
    const text = `import { Step } from '#steps';\nexport ${SOURCE.trim()}`;
    const options: ts.CompilerOptions = {
      ...LEGACY,
      ...{ strict: true, skipLibCheck: true, noEmit: true, allowImportingTsExtensions: true },
      ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: ['node'], rootDir: root },
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile } = host;
    host.getSourceFile = (name, target, ...rest) =>
      name === path ? ts.createSourceFile(name, text, target) : getSourceFile(name, target, ...rest);
    const program = ts.createProgram({ rootNames: [path], options, host });
    const complaints = program.getSemanticDiagnostics(program.getSourceFile(path));
    expect(complaints.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual(
      [],
    );
  });

  it('what is no method is refused when it is decorated, with the reason and what to do', () => {
    const decorate = Step({ name: 'verify' }) as unknown as (...args: unknown[]) => unknown;
    const refused = '; allowed: methods, by the standard decorators or by experimentalDecorators';
    const isField = { kind: 'field', name: 'verify' };
    expect(() => decorate(undefined, isField)).toThrow(`@Step(verify) decorates field${refused}`);
    expect(() => decorate(Methods, { kind: 'class', name: 'Miners' })).toThrow(`decorates class${refused}`);
    expect(() => decorate({}, 'verify', undefined)).toThrow('decorates something that is no method');
    expect(() => decorate({}, 'verify', { get: () => 1 })).toThrow('decorates something that is no method');
    expect(() => decorate({ kind: 'method', descriptor: {} }, undefined)).toThrow(
      'a method as decorators before 2022 do, which is what swc makes without settings',
    );
  });
});
