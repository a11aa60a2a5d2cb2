import { beforeEach, describe, expect, it } from 'vitest';
import {
  deadLetterSubject,
  processSubject,
  resolveValidator,
  runSubject,
  type Subject,
} from '#reports/resolve-validator';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, hexOf } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const resolve = (wanted: string | undefined, subject: Subject | null = null) =>
  resolveValidator(database.pool, wanted, subject);

/** One step of a run of a validator; a wrong one becomes a dead letter. */
const stepOf = (validator: string, run: number, { isWrong = false, instance = 'instance-1' } = {}) =>
  endedSpan({
    step: 'query',
    run,
    validator,
    instance,
    spanId: hexOf(`${validator} ${run} ${isWrong}`, 16),
    attributes: isWrong ? { 'weather.step.status': 'done' } : {},
  });

describe('resolveValidator, with a name', () => {
  beforeEach(async () => {
    for (const hotkey of ['5Alpha', '5Alphabet', '2wo', '5Gamma'])
      await database.pool.query('insert into validators (hotkey) values ($1)', [hotkey]);
  });

  it.each([
    ['4', '5Gamma', 'a number'],
    ['5Gamma', '5Gamma', 'a hotkey'],
    ['5G', '5Gamma', 'the unique beginning of a hotkey'],
    ['5Alpha', '5Alpha', 'a whole hotkey that is also the beginning of another'],
    ['2', '5Alphabet', 'a number that is also the beginning of a hotkey'],
    ['2w', '2wo', 'a beginning that only looks like a number'],
  ])('%s means %s: %s', async (wanted, hotkey) => {
    expect(await resolve(wanted)).toBe(hotkey);
    expect(await resolve(wanted, runSubject(77)), 'whatever it is about').toBe(hotkey);
  });

  it('a name that fits none is refused with all choices', async () => {
    await expect(resolve('5Delta')).rejects.toMatchObject({
      category: 'not_found',
      message:
        'No validator has the number or hotkey 5Delta. Recorded: 1 (5Alpha), 2 (5Alphabet), 3 (2wo), 4 (5Gamma). ' +
        'Use --validator 1 or --validator 2 or --validator 3 or --validator 4.',
    });
    await expect(resolve('7'), 'a number').rejects.toThrow('No validator has the number or hotkey 7.');
    await expect(resolve('5gamma'), 'another case').rejects.toThrow('number or hotkey 5gamma.');
  });

  it('the beginning of several hotkeys is refused with those that begin so', async () => {
    await expect(resolve('5Al')).rejects.toThrow(
      '2 hotkeys begin with 5Al. Recorded: 1 (5Alpha), 2 (5Alphabet). Use --validator 1 or --validator 2.',
    );
  });

  it('at most ten choices are listed, without the control characters that a sender chose', async () => {
    await database.pool.query(
      `insert into validators (hotkey) select 'x' || chr(27) || '[2J' || n from generate_series(100, 111) as n`,
    );
    const message = await resolve('x').catch((error: unknown) => (error as Error).message);
    expect(message).toMatch(/^12 hotkeys begin with x\. Recorded: .*\(x\\u001b\[2J109\), 2 more\. Use /);
    expect(message).not.toContain('\u001b');
  });
});

describe('resolveValidator, before anything is recorded', () => {
  it('a name is refused because there is none, and without a name there is no validator', async () => {
    await expect(resolve('5Alpha')).rejects.toThrow(
      'No validator has recorded anything in this database yet.',
    );
    expect(await resolve(undefined, runSubject(1))).toBeNull();
    expect(await resolve(undefined)).toBeNull();
  });
});

describe('resolveValidator, without a name', () => {
  beforeEach(() =>
    writeBatches(database.pool, [
      [stepOf('5Alpha', 1), stepOf('5Beta', 1), stepOf('5Beta', 2, { instance: 'instance-2' })],
      [stepOf('5Alpha', 3, { isWrong: true }), stepOf('5Unrecorded', 3, { isWrong: true })],
      [stepOf('5Beta', 4, { isWrong: true })],
    ]),
  );

  it('the only validator that has the run is meant, although another one records here', async () => {
    expect(await resolve(undefined, runSubject(2))).toBe('5Beta');
  });

  it('a run of several validators is refused with the choices and the option to add', async () => {
    await expect(resolve(undefined, runSubject(1))).rejects.toMatchObject({
      message: '2 validators have run 1: 1 (5Alpha), 2 (5Beta). Add --validator 1 or --validator 2.',
    });
  });

  it('a run that nobody has leaves the answer to the command', async () => {
    expect(await resolve(undefined, runSubject(77))).toBeNull();
  });

  it('a run is found by its log when its row was deleted, and by its row when its log was dropped', async () => {
    await database.pool.query('delete from weather_forecast_runs where validator_id = 1');
    await database.pool.query('delete from weather_forecast_steps where validator_id = 2');
    await expect(resolve(undefined, runSubject(1))).rejects.toThrow('2 validators have run 1');
  });

  it('processes of one id are refused where several validators have one', async () => {
    expect(await resolve(undefined, processSubject('instance-2'))).toBe('5Beta');
    await expect(resolve(undefined, processSubject('instance-1'))).rejects.toThrow(
      '2 validators have process instance-1: 1 (5Alpha), 2 (5Beta). Add --validator 1 or --validator 2.',
    );
  });

  it('dead letters count by the validator that they name, recorded or not', async () => {
    expect(await resolve(undefined, deadLetterSubject(4))).toBe('5Beta');
    await expect(resolve(undefined, deadLetterSubject(3))).rejects.toThrow(
      '2 validators have dead letters of run 3: 1 (5Alpha), dead letters only (5Unrecorded). ' +
        'Add --validator 1 or --validator 5Unrecorded.',
    );
    expect(await resolve('5Un')).toBe('5Unrecorded');
  });
});
