import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepFact } from '#facts/step-fact';
import { translate } from '#facts/translate';
import { componentScore, endedSpan, startOfSpan, T } from '../support/spans.ts';

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
    ['a number as text', { 'weather.run.id': '42' }, 'weather.run.id is "42"; allowed: int'],
  ])('translate rejects %s and names the value and what is allowed', (_name, attributes, detail) => {
    const translation = translate(endedSpan({ step: 'query', attributes }));
    expect(translation).toMatchObject({ kind: 'rejected', reason: 'invalid_attribute' });
    expect(translation.kind === 'rejected' && translation.detail).toContain(detail);
  });

  it('translate rejects a substep of another step, and a miner step without a miner', () => {
    const span = endedSpan({ step: 'verify', substep: 'gfs_download', miner: null });
    expect(translate(span)).toEqual({
      kind: 'rejected',
      reason: 'missing_attribute',
      detail:
        'weather.miner.hotkey is missing; weather.step.substep is "gfs_download", which is no substep of verify',
    });
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
