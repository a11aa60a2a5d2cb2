import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { deadLettersCommand } from '#commands/maintenance/dead-letters';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';
import { invoke, type Invocation } from '../support/invoke.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const wrong = [1, 2].map((run) =>
  endedSpan({ step: 'query', run, attributes: { 'weather.step.status': 'done' } }),
);
const homeless = endedSpan({ step: 'verify', run: 2, miner: null });
const refused = endedSpan({ step: 'poll', run: 3 });

/** Four letters: two that break the vocabulary, one without a miner, one that the database refused for a while. */
beforeEach(async () => {
  await emptyTables(database.pool);
  const exporter = createPostgresExporter({ pool: database.pool });
  await exporter.exportObserved([...wrong, homeless]);
  await exporter.writeDeadLetter(
    refused,
    Object.assign(new Error('the table was locked by a fool'), { code: '23514' }),
  );
});

const deadLetters = (...args: readonly string[]): Promise<Invocation> =>
  invoke(deadLettersCommand(), args, { DATABASE_URL: database.connectionString });

async function documentOf(...args: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await deadLetters(...args, '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
}
async function count(): Promise<number> {
  return (await database.pool.query('select from dead_letter_spans')).rows.length;
}

describe('barograph dead-letters list', () => {
  it('each dead letter is listed with reason, run and detail, followed by the counts by reason', async () => {
    const { exitCode, stdout } = await deadLetters('list');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/reason +validator +run +phase +span +detail/);
    expect(stdout).toMatch(
      /invalid_attribute +5Validator +1 +ended +[0-9a-f]{16} +weather\.step\.status is "done"; allowed:/,
    );
    expect(stdout).toMatch(/refused_by_database +5Validator +3 +ended .* 23514: the table was locked/);
    expect(stdout).toContain(
      'Shown: 4 dead letters (2 invalid_attribute, 1 missing_attribute, 1 refused_by_database).',
    );
  });

  it('--limit, --run and --reason restrict the list, and the total is printed', async () => {
    expect((await deadLetters('list', '--limit', '1')).stdout).toContain(
      'Shown: the first 1 of 4 dead letters',
    );
    expect((await deadLetters('list', '--run', '2')).stdout).toContain(
      '2 dead letters (1 invalid_attribute, 1 missing_attribute)',
    );
    expect((await deadLetters('list', '--reason', 'partition_dropped')).stdout).toBe(
      'There are no dead letters that match.\n',
    );
  });

  it('--json prints the dead letters with their spans as one document', async () => {
    expect(await documentOf('list', '--run', '3')).toMatchObject({
      counts: { refused_by_database: 1 },
      letters: [
        { run_id: 3, validator_hotkey: '5Validator', span_id: refused.spanId, span: { name: 'poll test' } },
      ],
    });
  });

  it('control characters chosen by a sender are not printed', async () => {
    const hostile = endedSpan({ step: 'query', at: 5 });
    await createPostgresExporter({ pool: database.pool }).writeDeadLetter(
      hostile,
      new Error('\u001b[2J\u0007gone\nx'),
    );
    const { stdout } = await deadLetters('list');
    expect(stdout).not.toMatch(/[\u001b\u0007]/);
    expect(stdout).toContain('Error: \\u001b[2J\\u0007gone\\nx');
  });
});

describe('barograph dead-letters replay', () => {
  it('a replay reports how many were recorded and how many stay, by reason', async () => {
    const { exitCode, stdout } = await deadLetters('replay');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      'Recorded and removed: 1.\nRejected again and kept: 3 dead letters (2 invalid_attribute, 1 missing_attribute).\n',
    );
    expect(await count()).toBe(3);
  });

  it('--run, --reason and --span restrict the replay', async () => {
    expect(await documentOf('replay', '--reason', 'invalid_attribute')).toEqual({
      validator_hotkey: null,
      recorded: 0,
      refused: { invalid_attribute: 2 },
      stripped: 0,
    });
    expect(await documentOf('replay', '--run', '1')).toMatchObject({ recorded: 0 });
    expect(await documentOf('replay', '--span', refused.spanId)).toMatchObject({ recorded: 1, refused: {} });
  });

  it('dead letters that were stored with ids and name only are reported as not replayable', async () => {
    await createPostgresExporter({ pool: database.pool }).writeDeadLetter(
      { ...refused, spanId: 'a\0b' },
      new Error('x'),
    );
    expect((await deadLetters('replay', '--reason', 'refused_by_database')).stdout).toBe(
      'Recorded and removed: 1.\nRejected again and kept: no dead letters.\n' +
        'Kept without a replay: 1, stored with ids and name only.\n',
    );
  });
});

describe('barograph dead-letters drop', () => {
  it('the selected dead letters are removed and counted by reason', async () => {
    expect((await deadLetters('drop', '--run', '2')).stdout).toBe(
      'Removed: 2 dead letters (1 invalid_attribute, 1 missing_attribute).\n',
    );
    expect(await documentOf('drop', '--span', refused.spanId)).toEqual({
      validator_hotkey: null,
      dropped: { refused_by_database: 1 },
    });
    expect(await documentOf('drop', '--all')).toEqual({
      validator_hotkey: null,
      dropped: { invalid_attribute: 1 },
    });
    expect((await deadLetters('drop', '--all')).stdout).toBe('Removed: no dead letters.\n');
  });

  it.each([
    [[], 'Got neither a filter nor --all.'],
    [['--all', '--run', '1'], 'Got --all together with a filter.'],
  ])('nothing is removed with the ambiguous arguments %j', async (args, got) => {
    const { exitCode, stdout, stderr } = await deadLetters('drop', ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(
      `${got} Allowed: --validator, --run, --reason or --span, alone or together; or --all alone.`,
    );
    expect(await count()).toBe(4);
  });
});

describe('options of barograph dead-letters', () => {
  it.each([
    [
      ['list', '--reason', 'bad_luck'],
      /'bad_luck' is invalid.*Allowed choices are invalid_attribute, missing_attribute/,
    ],
    [['list', '--limit', '0'], /'0' is invalid.*Allowed: a whole number from 1 to 10000/],
    [['replay', '--run', 'x'], /'x' is invalid.*Allowed: a whole number from 1/],
  ])('the wrong options %j are refused with what is allowed', async (args, message) => {
    const { exitCode, stderr } = await deadLetters(...args);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
  });
});
