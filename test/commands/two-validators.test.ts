import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '#commands/run/run';
import type { TestDatabase } from '#test/support/postgres';
import { MINERS } from '#test/support/recorded-runs';
import { SHORT_DELAYS } from '#test/support/short-delays';
import { RECORDED_TABLES } from '#test/support/tables';
import {
  OTHER_MINER,
  OTHER_TEXT,
  recordTwoValidators,
  recordValidators,
  VALIDATORS,
  type TwoValidators,
  type ValidatorNumber,
} from '#test/support/two-validators';
import { COMMANDS, type as typeLine } from './support/commands-of-program.ts';
import { invoke, type Invocation } from './support/invoke.ts';
import { toArguments, writeTinyWorld } from './support/tiny-stores.ts';

/** Commands that are about no recorded run, or about the one that they make themselves under their own hotkey. */
const ABOUT_NO_RECORDED_RUN = [
  ...['run', 'work', 'record', 'score', 'migrate', 'doctor'],
  // About a folder on this machine, which one process wrote.
  ...['spools list', 'spools inspect', 'spools replay', 'spools drop'],
];

function commandAt(root: Command, line: string): Command {
  const below = line.split(' ').slice(1);
  return below.reduce<Command>(
    (command, name) => command.commands.find((inner) => inner.name() === name) ?? command,
    root,
  );
}

/** Runs `explain --run 1` and so on with a database. */
const type = (database: TestDatabase, text: string): Promise<Invocation> =>
  typeLine(text, { DATABASE_URL: database.connectionString });

const NUMBERS = [1, 2] as const;
/** Each way to name them; `5Vali` begins both. */
const NAMES: Readonly<Record<ValidatorNumber, readonly string[]>> = {
  1: ['1', VALIDATORS[1], '5Valida'],
  2: ['2', VALIDATORS[2], '5Valian'],
};
const RUNS = [1, 2, 3, 5];

/** What is asked of each command that reads; one that changes something has tests of its own below. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  explain: RUNS.flatMap((run) => [`--run ${run} --miner ${MINERS.good.uid}`, `--run ${run} --miner 5Good`]),
  reconcile: RUNS.map((run) => `--run ${run}`),
  'dead-letters list': ['--run 5'],
  'dead-letters replay': ['--run 5'],
};
/** What changes something, or needs stores for its answer. */
const OTHERS: Readonly<Record<string, string>> = {
  rebuild: '--run 2',
  'verify-scores': `--run 2 --miner ${MINERS.good.uid}`,
  'dead-letters drop': '--run 5',
  sweep: '--older-than 1m --instance instance-1',
};

/** Every row of a validator in the tables, as text. */
async function dumpOf({ pool }: TestDatabase, number: ValidatorNumber): Promise<Record<string, unknown>> {
  const dump: Record<string, unknown> = {};
  for (const [table, order] of Object.entries(RECORDED_TABLES)) {
    const condition =
      table === 'dead_letter_spans'
        ? `validator_hotkey = '${VALIDATORS[number]}'`
        : `validator_id = ${number}`;
    const { rows } = await pool.query<{ line: string }>(
      `select row.*::text as line from ${table} as row where ${condition} order by ${order}`,
    );
    dump[table] = rows.map(({ line }) => line);
  }
  return dump;
}

describe('Every command of the program', () => {
  it('a command that takes a run or a process takes its validator as well', () => {
    for (const [line, make] of COMMANDS) {
      const options = commandAt(make(), line).options.map(({ long }) => long);
      if (options.includes('--run') || options.includes('--instance'))
        expect(options, line).toContain('--validator');
    }
  });

  it('a command is asked below, or is about no recorded run', () => {
    const tested = [...Object.keys(QUESTIONS), ...Object.keys(OTHERS), ...ABOUT_NO_RECORDED_RUN];
    expect([...COMMANDS.keys()].sort()).toEqual(tested.sort());
  });
});

describe('Commands on a database of two validators that number their runs alike', () => {
  let validators: TwoValidators;
  beforeAll(async () => {
    validators = await recordTwoValidators();
  });
  afterAll(() => validators.drop());

  const questions = Object.entries(QUESTIONS).flatMap(([line, all]) => all.map((text) => `${line} ${text}`));

  it.each(questions)('%s answers for each validator as if it were alone', async (question) => {
    for (const number of NUMBERS) {
      const [first = ''] = NAMES[number];
      const alone = await type(validators.alone[number], `${question} --validator ${first}`);
      expect(alone, question).toMatchObject({ exitCode: 0, stderr: '' });
      const json = await type(validators.both, `${question} --validator ${first} --json`);
      expect(json.stdout).toContain(`"validator_hotkey": "${VALIDATORS[number]}"`);
      expect(json.stdout).not.toContain(`"${VALIDATORS[number === 1 ? 2 : 1]}"`);
      for (const name of NAMES[number])
        expect(await type(validators.both, `${question} --validator ${name}`), name).toEqual(alone);
    }
  });

  it.each([...questions, ...Object.entries(OTHERS).map(([line, text]) => `${line} ${text}`)])(
    '%s is refused without its validator, with the choices and the option to add',
    async (question) => {
      const before = await Promise.all(NUMBERS.map((number) => dumpOf(validators.both, number)));
      const { exitCode, stdout, stderr } = await type(validators.both, question);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(/^2 validators have (run|dead letters of run|process) /);
      expect(stderr).toContain(': 1 (5Validator), 2 (5Valiant). Add --validator 1 or --validator 2.\n');
      expect((await type(validators.both, `${question} --validator 5Vali`)).stderr).toContain(
        '2 hotkeys begin with 5Vali.',
      );
      expect((await type(validators.both, `${question} --validator=`)).stderr).toContain(
        'Allowed: the number of a validator',
      );
      expect(await Promise.all(NUMBERS.map((number) => dumpOf(validators.both, number)))).toEqual(before);
    },
  );

  it('a run that only one validator has needs no name, and neither does any run of the only validator', async () => {
    const only = `explain --run 6 --miner ${OTHER_MINER.uid}`;
    const { exitCode, stdout } = await type(validators.both, only);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(`in run 6 of validator ${VALIDATORS[2]}: `);
    expect(stdout).toContain(`${OTHER_TEXT}a file differs`);
  });

  it('a miner that only the other validator has is not found', async () => {
    const { exitCode, stderr } = await type(
      validators.both,
      `explain --run 1 --miner ${OTHER_MINER.uid} --validator 1`,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Nothing was recorded of miner 77 in run 1 of validator 5Validator.');
  });

  it.each(NUMBERS)(
    'verify-scores looks at the scores of validator %i as if it were alone',
    async (number) => {
      const question = `verify-scores ${OTHERS['verify-scores'] ?? ''} --validator ${number} --json`;
      const alone = await type(validators.alone[number], question);
      expect(alone.stdout).toContain('"score_type"');
      expect(await type(validators.both, question)).toEqual(alone);
    },
  );

  it('doctor lists the validators by the names that the other commands take', async () => {
    expect((await type(validators.both, 'doctor')).stdout).toMatch(
      /^ok +Validators +1 \(5Validator\), 2 \(5Valiant\)$/m,
    );
  });
});

describe('Commands that change the record of one of two validators', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await recordValidators([1, 2]);
  });
  afterEach(() => database.drop());

  it('rebuild makes the run of the validator again and leaves the damage of the other', async () => {
    const sound = await dumpOf(database, 2);
    await database.pool.query(`update weather_forecast_stats set era5_combined_score = 9 where run_id = 2`);
    const damaged = await dumpOf(database, 1);
    const { exitCode, stdout } = await type(database, 'rebuild --run 2 --validator 2');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Rebuilt from \d+ rows of the log of validator 5Valiant in /);
    expect(await dumpOf(database, 2)).toEqual(sound);
    expect(await dumpOf(database, 1)).toEqual(damaged);
    expect((await type(database, 'reconcile --run 2 --validator 1')).stdout).toMatch(
      /values differ from the log of validator 5Validator:\n.*validator_id 1, run_id 2/,
    );
    expect((await type(database, 'reconcile --run 2 --validator 2')).exitCode).toBe(0);
  });

  it('dead-letters drop removes the letters of the validator alone', async () => {
    const kept = await dumpOf(database, 1);
    expect((await type(database, 'dead-letters drop --run 5 --validator 2')).stdout).toBe(
      'Removed: 1 dead letter (1 invalid_attribute).\n',
    );
    expect(await dumpOf(database, 1)).toEqual(kept);
    expect((await dumpOf(database, 2))['dead_letter_spans']).toEqual([]);
    expect((await type(database, 'dead-letters list')).stdout).toMatch(/invalid_attribute +5Validator +5 /);
  });

  it('letters that name no validator go with the run of the only one, and with none that is named', async () => {
    await database.pool.query(
      `update dead_letter_spans set validator_hotkey = null where validator_hotkey = '${VALIDATORS[1]}'`,
    );
    const counted = async (filter: string): Promise<unknown> =>
      JSON.parse((await type(database, `dead-letters list ${filter} --json`)).stdout) as unknown;
    expect(await counted('--run 5 --validator 2')).toMatchObject({ counts: { invalid_attribute: 1 } });
    expect(await counted('--run 5')).toMatchObject({
      validator_hotkey: VALIDATORS[2],
      counts: { invalid_attribute: 2 },
    });
  });

  it('sweep closes the steps of the process of the validator alone', async () => {
    await database.pool.query(`update emitters set heartbeat_at = '2020-01-01'`);
    const kept = await dumpOf(database, 1);
    // Closes nothing where the server is up for less than a minute: the condition itself is tested with the exporter.
    const text = (await type(database, 'sweep --older-than 1m --instance instance-1 --validator 2')).stdout;
    expect(text).not.toContain(VALIDATORS[1]);
    expect(await dumpOf(database, 1)).toEqual(kept);
    expect((await type(database, 'sweep --older-than 1m --instance nobody --validator 2')).stderr).toMatch(
      /^No process nobody of validator 5Valiant is known\. The newest that are: instance-/,
    );
  });
});

describe('A run beside the run of another validator that has the same number', () => {
  let folder: string;
  let database: TestDatabase;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barograph-test-'));
    database = await recordValidators([2]);
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('progress, heading, miners and counts are those of its own validator', async () => {
    const args = toArguments(await writeTinyWorld(folder)).filter((text) => text !== '--json');
    const { exitCode, stdout, stderr } = await invoke(runCommand(), args, {
      DATABASE_URL: database.connectionString,
      BAROGRAPH_VALIDATOR_HOTKEY: VALIDATORS[1],
      ...SHORT_DELAYS,
    });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^run 1 of 5Valida… completed · miners: 2 completed, 0 failed/m);
    expect(stdout).toMatch(/^Run 1 of validator 5Validator, T0 [\dTZ:.-]+: completed in [\d.]+ s$/m);
    for (const { hotkey } of [...Object.values(MINERS), OTHER_MINER])
      expect(stdout).not.toContain(hotkey.slice(0, 6));
    for (const table of ['weather_miner_responses', 'weather_forecast_stats', 'miner_stats'])
      expect(stdout).toMatch(new RegExp(`^${table} +2$`, 'm'));
    const { rows } = await database.pool.query<{ steps: number }>(
      'select count(*) as steps from weather_forecast_steps where validator_id = 1 and run_id = 1',
    );
    expect(stdout).toMatch(new RegExp(`^weather_forecast_steps +${rows[0]?.steps ?? 0}$`, 'm'));
    expect(stdout).toContain(
      `Spans: ${rows[0]?.steps ?? 0} started, ${rows[0]?.steps ?? 0} recorded, 0 in flight`,
    );
  });
});
