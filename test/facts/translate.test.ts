import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepFact } from '#facts/step-fact';
import { translate } from '#facts/translate';
import { Adjustments } from '#facts/clean-value';
import { readAttributes } from '#facts/read-attributes';
import { ATTRIBUTES } from '#semconv';
import { componentScore, endedSpan, INIT_TIME, startOfSpan, T } from '../support/spans.ts';

function factOf(span: Parameters<typeof translate>[0]): StepFact {
  const translation = translate(span);
  if (translation.kind !== 'step') throw new Error(JSON.stringify(translation));
  return translation.fact;
}

describe('translate', () => {
  it('translate gives identity, latency and remaining retries of a step', () => {
    const fact = factOf(
      endedSpan({ step: 'query', attempt: 3, maxAttempts: 4, durationMs: 12.345678, at: 1.0005 }),
    );
    expect(fact).toMatchObject({
      phase: 'ended',
      validatorHotkey: '5Validator',
      instanceId: 'instance-1',
      runId: 1,
      minerUid: 7,
      minerHotkey: '5MinerSeven',
      stepName: 'query',
      substep: 'initiate_fetch',
      attempt: 3,
      retriesRemaining: 1,
      status: 'succeeded',
      latencyNanos: 12_345_678,
      error: null,
    });
    expect(fact.startedAt).toBe(Number(T / 1000n) + 1000);
    expect(fact.state.initTime).toBe(Date.UTC(2026, 10, 23) * 1000);
  });

  it('translate keeps UID 0, lead 0 and a score of 0.0, which are values and not absences', () => {
    const fact = factOf(
      endedSpan({
        step: 'day1',
        lead: 0,
        miner: { uid: 0, hotkey: '5Zero' },
        attributes: { 'weather.score.initial': 0 },
      }),
    );
    expect([fact.minerUid, fact.leadHours, fact.state.scoreInitial]).toEqual([0, 0, 0]);
  });

  it('translate makes a score that is not finite null, with a counted reason', () => {
    const fact = factOf(
      endedSpan({ step: 'day1', lead: 12, attributes: { 'weather.score.initial': -Infinity } }),
    );
    expect(fact.state.scoreInitial).toBeNull();
    expect(fact.adjustments).toEqual({ not_finite: 1 });
  });

  it('translate ignores a span without a step name', () => {
    const span = endedSpan({ step: 'query' });
    expect(translate({ ...span, attributes: { 'http.request.method': 'GET' } })).toEqual({ kind: 'ignored' });
  });

  it.each([
    [
      'an unknown status',
      { 'weather.step.status': 'success' },
      'weather.step.status is "success"; allowed: in_progress',
    ],
    ['an unknown step', { 'weather.step.name': 'fetch' }, 'weather.step.name is "fetch"; allowed: seed'],
    ['a UID that is no slot', { 'weather.miner.uid': 256 }, 'weather.miner.uid is 256; allowed: int 0…255'],
    [
      'a stage of nobody',
      { 'weather.stage': 'inference_running_101%' },
      'weather.stage is "inference_running_101%"',
    ],
    [
      'a time without an offset',
      { 'weather.retry.next_time': '2026-11-23 18:00' },
      'weather.retry.next_time is',
    ],
    [
      'an instant of Python without an offset',
      { 'weather.run.init_time': '2026-11-23T00:00:00' },
      'is "2026-11-23T00:00:00"; allowed: string (ISO 8601) such as',
    ],
    [
      'a text that is no number',
      { 'weather.run.id': 'forty-two' },
      'weather.run.id is "forty-two"; allowed: int',
    ],
    [
      'a score that is no number',
      { 'weather.score.era5': 'high' },
      'weather.score.era5 is "high"; allowed: double',
    ],
    [
      'a number as text out of range',
      { 'weather.miner.uid': '256' },
      'weather.miner.uid is "256"; allowed: int 0…255',
    ],
    [
      'a fraction for a whole number',
      { 'weather.lead_hours': '24.5' },
      'weather.lead_hours is "24.5"; allowed: int 0…1000',
    ],
    [
      'a run id beyond the numbers',
      { 'weather.run.id': '9007199254740993' },
      'weather.run.id is "9007199254740993"; allowed: int',
    ],
    [
      'a flag that is none',
      { 'weather.verification.passed': 'yes' },
      'weather.verification.passed is "yes"; allowed: boolean',
    ],
    [
      'a date without a time',
      { 'weather.run.init_time': '2026-11-23' },
      'is "2026-11-23"; allowed: string (ISO 8601) such as 2026-11-23T00:00:00Z',
    ],
    [
      'a day that is none',
      { 'weather.run.init_time': '2026-02-30 00:00:00Z' },
      'is "2026-02-30 00:00:00Z"; allowed: string (ISO 8601)',
    ],
    [
      'a stage that is none',
      { 'weather.stage': 'resting' },
      'weather.stage is "resting"; allowed: string such as era5_scoring_72h',
    ],
  ])('translate rejects %s and names the value and what is allowed', (_name, attributes, detail) => {
    const translation = translate(endedSpan({ step: 'query', attributes }));
    expect(translation).toMatchObject({ kind: 'rejected', reason: 'invalid_attribute' });
    expect(translation.kind === 'rejected' && translation.detail).toContain(detail);
  });

  it.each([
    ['weather.miner.hotkey', 'x'.repeat(257), 'weather.miner.hotkey has 257 characters; allowed: 256'],
    [
      'weather.miner.hotkey',
      '5F\0',
      'weather.miner.hotkey is "5F\\u0000"; allowed: text that is valid UTF-8',
    ],
    [
      'weather.validator.hotkey',
      '5F\ud800',
      'weather.validator.hotkey is "5F\\ud800"; allowed: text that is valid UTF-8',
    ],
    ['service.instance.id', 'x'.repeat(1e6), 'service.instance.id has 1000000 characters; allowed: 256'],
    [
      'weather.miner.hotkey',
      '5F\uFFFD',
      'weather.miner.hotkey is "5F\uFFFD"; allowed: text that is valid UTF-8',
    ],
    ['service.instance.id', '\0', 'service.instance.id is "\\u0000"; allowed: text that is valid UTF-8'],
  ])(
    'translate refuses a %s that would have to be cut or changed, and makes it nobody else',
    (name, text, detail) => {
      const span = endedSpan({ step: 'query', attributes: { [name]: text } });
      const named = name.startsWith('service.')
        ? { ...span, resource: { ...span.resource, [name]: text } }
        : span;
      expect(translate(named)).toMatchObject({ kind: 'rejected', reason: 'invalid_attribute' });
      expect(translate(named)).toHaveProperty('detail', expect.stringContaining(detail));
    },
  );

  it.each([
    [
      { variable_name: 'v'.repeat(257) },
      'weather.component.variable_name has 257 characters or more; allowed: 256',
    ],
    [{ pressure_level: 2 ** 31 }, 'weather.component.pressure_level is 2147483648; allowed: int of 32 bits'],
  ])('translate refuses a score whose key the table cannot hold: %s', (given, detail) => {
    const score = { score_type: 'era5', variable_name: 'z', valid_time: '2026-11-24T00:00:00Z', ...given };
    const span = endedSpan({ step: 'era5', lead: 24, events: [componentScore(score)] });
    expect(translate(span)).toMatchObject({ kind: 'rejected', detail });
  });

  it('translate cleans the name of a span as it cleans any text, and counts it', () => {
    const fact = factOf({ ...endedSpan({ step: 'query' }), name: 'a\0b' });
    expect(fact).toMatchObject({ spanName: 'a\uFFFDb', adjustments: { nul_byte: 1 } });
  });

  it('translate rejects a substep of another step, and a miner step without a miner', () => {
    const span = endedSpan({ step: 'verify', substep: 'gfs_download', miner: null });
    expect(translate(span)).toEqual({
      kind: 'rejected',
      reason: 'missing_attribute',
      detail:
        'weather.miner.hotkey is missing; weather.step.substep is "gfs_download", which is no substep of verify; allowed: manifest',
    });
  });

  it.each([
    ['a 32-bit float', 'weather.score.era5', '0.5500000119', 0.5500000119, { number_text: 1 }],
    ['a float of numpy 2', 'weather.score.era5', 'np.float32(0.55)', 0.55, { number_text: 1 }],
    ['a float with exponent', 'weather.hosting.latency_ms', '1.825e+02', 182.5, { number_text: 1 }],
    ['a float that is whole', 'weather.lead_hours', '24.0', 24, { number_text: 1 }],
    ['an int64', 'weather.run.id', ' 42 ', 42, { number_text: 1 }],
    ['nan', 'weather.score.era5', 'nan', null, { number_text: 1, not_finite: 1 }],
    ['minus zero', 'weather.score.era5', '-0.0', 0, { number_text: 1, negative_zero: 1 }],
    ['a bool of Python', 'weather.verification.passed', 'True', true, { flag_text: 1 }],
    ['a bool of numpy', 'weather.verification.passed', 'np.False_', false, { flag_text: 1 }],
    [
      'str(datetime)',
      'weather.run.init_time',
      '2026-11-23 00:00:00+00:00',
      '2026-11-23T00:00:00+00:00',
      { instant_form: 1 },
    ],
    [
      'the basic form',
      'weather.run.init_time',
      '20261123T000000Z',
      '2026-11-23T00:00:00Z',
      { instant_form: 1 },
    ],
    [
      'an offset in hours',
      'weather.run.init_time',
      '2026-11-23T01:00+01',
      '2026-11-23T01:00:00+01:00',
      { instant_form: 1 },
    ],
    [
      'datetime64',
      'weather.run.init_time',
      '2026-11-23T00:00:00.000000000',
      '2026-11-23T00:00:00.000000000Z',
      { instant_without_offset: 1 },
    ],
  ])(
    'readAttributes takes %s as what it means, and counts that',
    (_name, attribute, given, value, counted) => {
      const adjustments = new Adjustments();
      const { values, problems } = readAttributes({ [attribute]: given }, ATTRIBUTES, adjustments);
      expect(problems).toEqual([]);
      expect(values[attribute as keyof typeof values]).toBe(value);
      expect(adjustments.toRecord()).toEqual(counted);
    },
  );

  it('a scoring span whose numbers are texts has the fact of the same span with numbers, but for what is counted', () => {
    const asTexts = (attributes: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [
          name,
          typeof value === 'number' ? String(value) : value,
        ]),
      );
    const span = endedSpan({
      step: 'era5',
      lead: 72,
      attributes: { 'weather.score.era5': 0.55, 'weather.profile.cpu_ms': 12.5 },
      events: [
        componentScore({
          score_type: 'era5',
          variable_name: 't',
          pressure_level: 500,
          valid_time: INIT_TIME,
          rmse: 1.5,
          acc: 0.9,
        }),
      ],
    });
    const texts = {
      ...span,
      attributes: asTexts(span.attributes),
      events: span.events.map((event) => ({ ...event, attributes: asTexts(event.attributes) })),
    };
    const { adjustments, ...fact } = factOf(texts);
    const { adjustments: none, ...expected } = factOf(span);
    expect(fact).toEqual(expected);
    expect(none).toEqual({});
    expect(adjustments['number_text']).toBeGreaterThan(7);
  });

  it('no message about a refused value names an object instead of what is allowed', () => {
    for (const name of Object.keys(ATTRIBUTES)) {
      const { problems } = readAttributes(
        { [name]: 'neither number nor name' },
        ATTRIBUTES,
        new Adjustments(),
      );
      for (const { message } of problems) expect(message, name).toMatch(/; allowed: (?!.*\[object).{3,}$/);
    }
  });

  it('translate counts a misspelt attribute instead of dropping it silently', () => {
    expect(factOf(endedSpan({ step: 'query', attributes: { 'weather.scorre': 1 } })).adjustments).toEqual({
      unknown_attribute: 1,
    });
  });

  it('translate derives a missing status from OpenTelemetry, and gives every failure a category', () => {
    const span = endedSpan({ step: 'verify' });
    const entries = Object.entries(span.attributes).filter(([name]) => name !== 'weather.step.status');
    const attributes = Object.fromEntries(entries);
    const failed = factOf({
      ...span,
      attributes,
      statusCode: 'error',
      statusMessage: 'Bearer abc.def.ghi was refused',
    });
    expect(failed.status).toBe('failed');
    expect(failed.error).toMatchObject({ type: 'unknown' });
    expect(failed.error?.message).not.toContain('abc.def.ghi');
  });

  it('translate scrubs secrets that another program left in messages and context', () => {
    const fact = factOf(
      endedSpan({
        step: 'query',
        error: { type: 'connection', message: 'connect 203.0.113.9:33333 refused' },
        attributes: { 'weather.step.context': JSON.stringify({ token: 'eyJhbGciOi.J9.x', files: 3 }) },
      }),
    );
    expect(JSON.stringify([fact.error, fact.context])).not.toMatch(/203\.0\.113\.9|eyJhbGciOi/);
    expect(fact.context).toMatchObject({ files: 3 });
  });

  it('translate does not let a clock that was set back give a negative latency', () => {
    const span = endedSpan({ step: 'query' });
    const fact = factOf({ ...span, endTimeUnixNano: span.startTimeUnixNano - 5_000_000n });
    expect([fact.latencyNanos, fact.completedAt === fact.startedAt, fact.adjustments]).toEqual([
      0,
      true,
      { negative_duration: 1 },
    ]);
  });

  it('translate records a span that lost events as truncated', () => {
    const fact = factOf({ ...endedSpan({ step: 'era5', lead: 24 }), droppedEventsCount: 3 });
    expect([fact.truncated, fact.context]).toEqual([true, { dropped_events: 3 }]);
  });

  it('translate rejects a component score whose digest is none, naming what is allowed', () => {
    const event = componentScore({
      score_type: 'era5',
      variable_name: 't',
      valid_time: '2026-11-24T00:00:00Z',
      truth_digest: 'B5C1',
    });
    expect(translate(endedSpan({ step: 'era5', lead: 24, events: [event] }))).toEqual({
      kind: 'rejected',
      reason: 'invalid_attribute',
      detail: 'weather.component.truth_digest is "B5C1"; allowed: a SHA-256 of 64 lower-case hex digits',
    });
  });

  it('translate sums the finite component scores in the order of the events', () => {
    const event = (rmse: number) =>
      componentScore({ score_type: 'era5', variable_name: 't', valid_time: '2026-11-24T00:00:00Z', rmse });
    const fact = factOf(endedSpan({ step: 'era5', lead: 24, events: [event(1), event(NaN), event(2)] }));
    expect(fact.scoreSums).toEqual({
      scoreType: 'era5',
      rmse: { sum: 3, count: 2 },
      acc: { sum: 0, count: 0 },
      skillScore: { sum: 0, count: 0 },
    });
  });

  it('translate gives a start the same identity as its end', () => {
    fc.assert(
      fc.property(fc.constantFrom('query', 'poll', 'verify', 'day1', 'era5'), fc.nat(20), (step, attempt) => {
        const ended = endedSpan({ step, attempt: attempt + 1, lead: 24, maxAttempts: 30 });
        const end = factOf(ended);
        const start = factOf(startOfSpan(ended));
        expect(start).toEqual({
          ...end,
          phase: 'started',
          status: 'in_progress',
          completedAt: null,
          latencyNanos: null,
          nextRetryTime: null,
        });
      }),
    );
  });
});
