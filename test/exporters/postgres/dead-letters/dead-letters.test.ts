import { describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { Committed } from '#postgres/write-batch';
import { DEAD_LETTER_REASONS } from '#semconv';
import { useTestDatabase } from '#test/exporters/postgres/support/database';
import { endedSpan, startOfSpan } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

async function letters(): Promise<readonly Record<string, unknown>[]> {
  return (
    await database.pool.query<Record<string, unknown>>('select * from dead_letter_spans order by phase')
  ).rows;
}

const odd = endedSpan({
  step: 'query',
  attributes: { 'weather.step.status': 'success', 'weather.job.id': 'a\0b' },
});

describe('DEAD_LETTER_REASONS', () => {
  it('the check constraint of the table lists the same reasons as the code', async () => {
    const { rows } = await database.pool.query<{ definition: string }>(
      `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'dead_letter_spans_reason_check'`,
    );
    const allowed = [...(rows[0]?.definition ?? '').matchAll(/'(\w+)'::text/g)].map(([, reason]) => reason);
    expect(allowed).toEqual([...DEAD_LETTER_REASONS]);
  });
});

describe('insertDeadLetters', () => {
  it('an invalid span is stored with the value received and the values allowed', async () => {
    await createPostgresExporter({ pool: database.pool }).exportObserved([odd]);
    const [letter] = await letters();
    expect(letter).toMatchObject({
      trace_id: odd.traceId,
      span_id: odd.spanId,
      phase: 'ended',
      reason: 'invalid_attribute',
      validator_hotkey: '5Validator',
      run_id: 1,
      instance_id: 'instance-1',
      span: {
        name: 'query test',
        startTimeUnixNano: { $bigint: odd.startTimeUnixNano.toString() },
        endTimeUnixNano: { $bigint: odd.endTimeUnixNano?.toString() },
        attributes: { 'weather.step.status': 'success', 'weather.run.id': 1 },
        resource: { 'weather.validator.hotkey': '5Validator' },
      },
    });
    expect(letter?.['detail']).toContain('weather.step.status is "success"; allowed: in_progress');
  });

  it('a redelivered span is stored once per phase', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const withoutRun = { ...odd, attributes: { ...odd.attributes, 'weather.run.id': undefined } };
    await exporter.exportObserved([withoutRun, withoutRun, startOfSpan(withoutRun)]);
    await exporter.exportObserved([withoutRun]);
    expect((await letters()).map(({ phase }) => phase)).toEqual(['ended', 'started']);
  });

  it('secrets are scrubbed from the attributes and the events of a dead letter', async () => {
    const leaking = endedSpan({
      step: 'query',
      error: { type: 'connection', message: 'connect ECONNREFUSED 203.0.113.9:33333' },
      attributes: {
        'weather.step.status': 'Bearer eyJhbGciOi.J9.x',
        token: 'hunter2',
        path: '/home/v/.wallet',
      },
    });
    await createPostgresExporter({ pool: database.pool }).exportObserved([leaking]);
    expect(await letters()).toHaveLength(1);
    expect(JSON.stringify(await letters())).not.toMatch(/203\.0\.113\.9|eyJhbGciOi|hunter2|\/home\/v/);
  });

  it('an invalid span does not block the rest of its batch and counts by its reason', async () => {
    const commits: Committed[] = [];
    const exporter = createPostgresExporter({
      pool: database.pool,
      onCommit: (committed) => void commits.push(committed),
    });
    const homeless = endedSpan({ step: 'verify', at: 10, miner: null });
    const report = await exporter.exportObserved([odd, homeless, endedSpan({ step: 'query', at: 20 })]);
    expect(report).toEqual({ kind: 'written' });
    expect(commits[0]?.rejected).toEqual({ invalid_attribute: 1, missing_attribute: 1 });
    expect(commits[0]?.steps).toHaveLength(1);
  });

  it('a span is stored even when it holds big integers, NaN, NUL or lone surrogates', async () => {
    const hostile = endedSpan({
      step: 'query',
      attributes: { 'weather.step.status': 'no', big: 2n ** 70n, nan: NaN, nul: 'a\0b', half: '\ud800' },
    });
    expect(await createPostgresExporter({ pool: database.pool }).exportObserved([hostile])).toEqual({
      kind: 'written',
    });
    expect(await letters()).toMatchObject([
      {
        span: {
          attributes: {
            big: { $bigint: (2n ** 70n).toString() },
            nan: { $number: 'NaN' },
            nul: 'a\uFFFDb',
            half: '\uFFFD',
          },
        },
      },
    ]);
  });

  it.each([
    ['a run that no column can hold', { 'weather.run.id': 2 ** 60 }, { run_id: null }],
    ['a run that is no number', { 'weather.run.id': 'seven' }, { run_id: null }],
    ['a run that is a fraction', { 'weather.run.id': 1.5 }, { run_id: null }],
    ['a validator of its own', { 'weather.validator.hotkey': '5Own' }, { validator_hotkey: '5Own' }],
    ['a validator that is no text', { 'weather.validator.hotkey': 7 }, { validator_hotkey: '5Validator' }],
  ])('a dead letter names its owner as far as it is readable: %s', async (_what, attributes, expected) => {
    const span = endedSpan({ step: 'query', attributes: { 'weather.step.status': 'no', ...attributes } });
    await createPostgresExporter({ pool: database.pool }).exportObserved([span]);
    expect(await letters()).toMatchObject([expected]);
  });
});
