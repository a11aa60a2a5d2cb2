import { parseArgs } from 'node:util';
import { thisMachine } from './harness/machine.ts';
import { measure, type ComparisonResult } from './harness/measure.ts';
import { comparisonText, machineText, summaryText } from './harness/report.ts';
import type { Suite, SuiteSource } from './harness/suite.ts';
import { SUITES } from './suites.ts';

/**
 * `npm run bench`: measures everything that docs/performance.md claims, with its baselines, side by side.
 *
 * --quick  a short form that only shows that every benchmark still runs
 * --json   the results as one JSON document on standard output; the report goes to standard error
 * names    only these suites
 */
const USAGE = `Usage: npm run bench -- [--quick] [--json] [--rounds N] [suite …]
Suites: ${SUITES.map(({ name }) => name).join(', ')}`;

const FULL_ROUNDS = 5;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const report = (text: string): void => (options.json ? console.error(text) : console.log(text));

function chosenSuites(): readonly SuiteSource[] {
  const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) throw new RangeError(`There is no suite ${unknown.join(', ')}.\n${USAGE}`);
  return positionals.length === 0 ? SUITES : SUITES.filter(({ name }) => positionals.includes(name));
}

function chosenRounds(): number {
  const rounds = options.rounds === undefined ? (options.quick ? 1 : FULL_ROUNDS) : Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds is ${options.rounds ?? ''}; it must be a whole number of at least 1.`);
  return rounds;
}

async function runSuite(source: SuiteSource, rounds: number): Promise<ComparisonResult[]> {
  const suite = await source.open(options.quick ? 'quick' : 'full');
  try {
    const results: ComparisonResult[] = [];
    requireNames(suite);
    for (const comparison of suite.comparisons) {
      const known = options.quick ? { ...comparison, rounds } : comparison;
      const result = await measure(source.name, known, rounds);
      report(`\n${comparisonText(result)}`);
      results.push(result);
    }
    return results;
  } finally {
    await suite.close();
  }
}

/** Results are identified by the names of their comparisons, which must be unique. */
function requireNames({ comparisons }: Suite): void {
  const names = comparisons.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) throw new Error(`Two comparisons are called ${twice.join(', ')}.`);
}

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const machine = thisMachine();
  const suites = chosenSuites();
  const rounds = chosenRounds();
  report(`${machineText(machine)}; ${rounds} rounds`);
  const results: ComparisonResult[] = [];
  for (const suite of suites) results.push(...(await runSuite(suite, rounds)));
  report(`\n${summaryText(results)}`);
  if (options.quick) report('\nThe quick form measures too little: its numbers mean nothing.');
  if (options.json) console.log(JSON.stringify({ machine, rounds, results }));
}

main().catch((error: unknown) => {
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
});
