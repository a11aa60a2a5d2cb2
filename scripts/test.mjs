import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureInstalled, ROOT } from './ensure-installed.mjs';
import { read } from './fingerprint.mjs';

/**
 * The gate: types, lint, unused exports, structure, format, tests. Every stage runs even if one before it failed, so
 * that one run shows all.
 *
 * Arguments go to the tests (`npm test -- test/database`). The last line of standard output is the count of tests,
 * alone; the exit code is 0 only if every stage passed.
 */
const PROGRAMS = {
  types: [
    'typescript/bin/tsc',
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    'node_modules/.cache/types.json',
  ],
  lint: ['eslint/bin/eslint.js', '.'],
  unused: ['knip/bin/knip.js'],
  structure: ['tsx/dist/cli.mjs', 'scripts/check-structure.ts'],
  format: ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
};

ensureInstalled({ withTools: true });
const failures = Object.entries(PROGRAMS).flatMap(([name, [program, ...args]]) =>
  runStage(name, program, args) ? [] : [name],
);
const counts = runTests(process.argv.slice(2));
if (!counts.isPassed) failures.push('tests');
if (failures.length > 0) process.stdout.write(`Failed: ${failures.join(', ')}\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Runs one program of node_modules, and prints its status and duration. */
function runStage(name, program, args) {
  process.stdout.write(`\n— ${name}\n`);
  const start = performance.now();
  const path = join(ROOT, 'node_modules', ...program.split('/'));
  const { status } = spawnSync(process.execPath, [path, ...args], { cwd: ROOT, stdio: 'inherit' });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`— ${name} ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s\n`);
  return status === 0;
}

/** Prints the default report, and takes the counts from the JSON report. */
function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'barograph-report-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const isPassed = runStage('tests', 'vitest/vitest.mjs', ['run', ...reporters, ...args]);
    return { isPassed, ...countTests(read(report)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not be loaded reports no tests: it counts as one failure. */
function countTests(text) {
  if (text === undefined) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(text);
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !hasFailure(assertionResults),
  );
  return { passed: numPassedTests, failed: numFailedTests + unloaded.length };
}

function hasFailure(results) {
  return results.some(({ status }) => status === 'failed');
}
