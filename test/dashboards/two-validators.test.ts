import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GENERATED, GENERATED_TEXTS, PROM_TARGETS, SQL_TARGETS } from '#scripts/dashboards/generated';
import { METRICS } from '#semconv/metrics';
import { interpolateSql } from '#scripts/dashboards/interpolate';
import { linesOf, recordTwoValidators, type TwoValidators } from '#test/support/two-validators';
import { CHOICES, RANGE } from './support/recorded.ts';

const QUERIES = join(import.meta.dirname, '..', '..', 'dashboards', 'queries');

/** Every query that the modules export, by module and name. */
async function queriesOfModules(): Promise<readonly (readonly [name: string, sql: string])[]> {
  const files = readdirSync(QUERIES).filter((file) => file.endsWith('.ts'));
  const queries: [string, string][] = [];
  for (const file of files) {
    const module = (await import(join(QUERIES, file))) as Readonly<Record<string, unknown>>;
    for (const [name, sql] of Object.entries(module))
      if (typeof sql === 'string') queries.push([`${file} ${name}`, sql.trim()]);
  }
  return queries;
}

const VARIABLE_QUERIES = GENERATED.flatMap(({ uid, templating }) =>
  templating.list
    .filter(({ type, name }) => type === 'query' && name !== 'validator')
    .map(({ name, query }) => ({ name: `${uid} variable ${name}`, sql: query })),
);
const ALL = [...SQL_TARGETS.map(({ name, target }) => ({ name, sql: target.rawSql })), ...VARIABLE_QUERIES];

/** The query for each run and miner that can be chosen, each text once. */
function choicesOf(sql: string, validator: number): readonly string[] {
  const texts = CHOICES.map(({ run, miner }) =>
    interpolateSql(sql, {
      ...RANGE,
      variables: { validator: String(validator), run, miner, jaeger: 'http://localhost:16686' },
    }),
  );
  return [...new Set(texts)];
}

const NUMBERS = [1, 2] as const;

let validators: TwoValidators;
beforeAll(async () => {
  validators = await recordTwoValidators();
});
afterAll(() => validators.drop());

describe('PromQL of the dashboards', () => {
  const ofValidators = Object.values(METRICS).filter(({ labels }) =>
    (labels as readonly string[]).includes('validator_id'),
  );

  it('every series of a validator is selected by the chosen one', () => {
    let selected = 0;
    for (const { name, target } of PROM_TARGETS)
      for (const [, metric = '', matchers = ''] of target.expr.matchAll(
        /\b(barograph_\w+)(\{(?:[^}"]|"[^"]*")*\})?/g,
      )) {
        // A panel about the process shows all validators, each line by its number.
        if (
          !ofValidators.some((each) => each.name === metric) ||
          target.legendFormat.includes('{{validator_id}}')
        )
          continue;
        selected += 1;
        expect(matchers, `${name}: ${metric}`).toContain('validator_id="${validator}"');
      }
    expect(selected).toBeGreaterThan(5);
  });
});

describe('Links of the dashboards', () => {
  it('every link that names a run or a miner names the validator', () => {
    const links = GENERATED_TEXTS.flatMap(([path, text]) =>
      [...text.matchAll(/"url": "([^"]*)"/g)].map(([, url = '']) => [path, url] as const),
    ).filter(([, url]) => /\bvar-(run|miner)=|\{(run|miner):queryparam\}/.test(url));
    expect(links.length).toBeGreaterThan(10);
    for (const [path, url] of links) expect(url, path).toContain('${validator:queryparam}');
  });
});

describe('Queries of the dashboards on a database of two validators that number their runs alike', () => {
  it('every query of the modules is that of a panel, and so is tested below', async () => {
    const queries = await queriesOfModules();
    expect(queries.length).toBeGreaterThan(30);
    const shown = new Set(SQL_TARGETS.map(({ target }) => target.rawSql));
    expect(queries.filter(([, sql]) => !shown.has(sql)).map(([name]) => name)).toEqual([]);
  });

  it.each(ALL)('$name shows each validator its own rows and none of the other', async ({ sql }) => {
    const answers = new Map<number, readonly string[]>();
    for (const number of NUMBERS) {
      const all: string[] = [];
      for (const query of choicesOf(sql, number)) {
        const lines = await linesOf(validators.both, query);
        expect(lines, query).toEqual(await linesOf(validators.alone[number], query));
        all.push(...lines);
      }
      expect(all.length).toBeGreaterThan(0);
      answers.set(number, all);
    }
    // The two can be told apart, so that a row of the other would be seen.
    expect(answers.get(1)).not.toEqual(answers.get(2));
  });

  it('a dead letter of no recorded validator is shown to each, without a run that would be read as theirs', async () => {
    const letters = SQL_TARGETS.find(({ panel: { title } }) => title === 'Dead letters');
    await validators.both.pool.query(
      `update dead_letter_spans set validator_hotkey = '5Unrecorded' where validator_hotkey = '5Valiant'`,
    );
    for (const number of NUMBERS) {
      const [query = ''] = choicesOf(letters?.target.rawSql ?? '', number);
      const foreign = (await linesOf(validators.both, query)).filter((line) => line.includes('5Unrecorded'));
      expect(foreign).toEqual([expect.stringContaining('"run_id":null')]);
    }
  });
});
