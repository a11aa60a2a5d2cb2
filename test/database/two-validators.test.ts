import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf, recordTwoValidators, VALIDATORS, type TwoValidators } from '#test/support/two-validators';

/** Every view of the schema, by the catalogue: a new one is tested without being named here. */
const VIEWS = `
  select class.relname as name,
    array(select attname::text from pg_attribute where attrelid = class.oid and attnum > 0) as columns
  from pg_class as class where class.relkind in ('v', 'm') and class.relnamespace = 'public'::regnamespace
  order by class.relname`;

/** A contradiction that nothing recorded makes, so that `inconsistent_rows` has a row of each validator. */
const CONTRADICT = `
  update weather_miner_responses as response
  set next_retry_time = timestamptz '2026-12-01' + response.validator_id * interval '1 h'
  from weather_forecast_runs as run
  where (run.validator_id, run.id) = (response.validator_id, response.run_id) and run.completion_time is not null`;

let validators: TwoValidators;
let views: readonly { readonly name: string; readonly columns: readonly string[] }[];
beforeAll(async () => {
  validators = await recordTwoValidators();
  const { both, alone } = validators;
  for (const { pool } of [both, alone[1], alone[2]]) await pool.query(CONTRADICT);
  views = (await validators.both.pool.query<(typeof views)[number]>(VIEWS)).rows;
});
afterAll(() => validators.drop());

const NUMBERS = [1, 2] as const;

describe('Views of a database with two validators that number their runs alike', () => {
  it('every view names the validator of each row by number and by hotkey', async () => {
    expect(views.length).toBeGreaterThan(12);
    for (const { name, columns } of views) {
      expect(columns, name).toEqual(expect.arrayContaining(['validator_id', 'validator_hotkey']));
      const named = await linesOf(
        validators.both,
        `select distinct validator_id, validator_hotkey from ${name}`,
      );
      // A view without a row proves nothing: record a case of it in test/dashboards/support/recorded.ts.
      expect(named, name).toEqual(
        NUMBERS.map((number) =>
          JSON.stringify({ validator_id: number, validator_hotkey: VALIDATORS[number] }),
        ),
      );
    }
  });

  it.each(NUMBERS)('no view shows validator %i anything of the other', async (number) => {
    for (const { name } of views) {
      const rows = `select * from ${name} where validator_id = ${number}`;
      expect(await linesOf(validators.both, rows), name).toEqual(
        await linesOf(validators.alone[number], rows),
      );
    }
  });

  it('the rows of the two differ in every view, so that a row of the other would be seen', async () => {
    for (const { name, columns } of views) {
      const others = columns.filter((column) => !column.startsWith('validator_')).join(', ');
      const [one, other] = await Promise.all(
        NUMBERS.map((number) =>
          linesOf(validators.both, `select ${others} from ${name} where validator_id = ${number}`),
        ),
      );
      expect(one, name).not.toEqual(other);
    }
  });
});
