// One class, as each compiler of decorators makes it, in both dialects; its method is called in a program that records.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const babel = require('@babel/core');
const swc = require('@swc/wasm');
const esbuild = require('esbuild');
const ts = require('typescript');
const { startRecording } = require('barograph');

const SOURCE = `
import { Step } from 'barograph';
export class Validator {
  @Step({ name: 'verify', identity: (run) => ({ runId: run, minerHotkey: '5Miner' }) })
  async verify(run) { return run + this.added; }
  added = 1;
}`;

const byTsc = (experimentalDecorators) =>
  ts.transpileModule(SOURCE, {
    compilerOptions: { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022, experimentalDecorators },
  }).outputText;
const byEsbuild = (experimentalDecorators) =>
  esbuild.transformSync(SOURCE, {
    loader: 'ts',
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { experimentalDecorators } },
  }).code;
const byBabel = (version) =>
  babel.transformSync(SOURCE, {
    configFile: false,
    plugins: [[require.resolve('@babel/plugin-proposal-decorators'), { version }]],
  }).code;
const bySwc = (transform) =>
  swc.transformSync(SOURCE, {
    jsc: { parser: { syntax: 'ecmascript', decorators: true }, target: 'es2022', transform },
    module: { type: 'es6' },
  }).code;

const COMPILERS = {
  'tsc, standard': () => byTsc(false),
  'tsc, experimentalDecorators': () => byTsc(true),
  'esbuild, standard': () => byEsbuild(false),
  'esbuild, experimentalDecorators': () => byEsbuild(true),
  'babel, 2023-11': () => byBabel('2023-11'),
  'babel, legacy': () => byBabel('legacy'),
  'swc, 2022-03': () => bySwc({ decoratorVersion: '2022-03' }),
  'swc, legacyDecorator': () => bySwc({ legacyDecorator: true }),
  'swc, without settings': () => bySwc({}),
};

async function main() {
  const recording = await startRecording({ validatorHotkey: '5Validator' });
  const outcomes = {};
  for (const [index, [name, compile]] of Object.entries(COMPILERS).entries()) {
    const run = Number(process.env.RUN) + index;
    const path = join(__dirname, `decorated-${process.version}-${index}.mjs`);
    try {
      writeFileSync(path, compile());
      const { Validator } = await import(pathToFileURL(path));
      outcomes[name] = (await new Validator().verify(run)) === run + 1 ? run : 'a wrong result';
    } catch (error) {
      outcomes[name] = error.message;
    }
  }
  await recording.close();
  console.log(JSON.stringify(outcomes));
}
main();
