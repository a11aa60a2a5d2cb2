import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SpanKind, TraceFlags } from '@opentelemetry/api';
import {
  currentIdentity,
  currentTraceparent,
  instrumentationFaults,
  step,
  withIdentity,
  type StepIdentity,
} from '#steps';
import { parseTraceparent } from '#steps/context/traceparent';
import { recordSteps, type RecordedSteps } from './recorded-steps.ts';

let steps: RecordedSteps;
beforeAll(() => void (steps = recordSteps()));
afterAll(() => {
  steps.close();
});
beforeEach(() => {
  steps.take();
  steps.atStart.length = 0;
});

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const initTime = new Date('2026-11-23T00:00:00Z');
const whole: StepIdentity = {
  validatorHotkey: '5Validator',
  runId: 42,
  initTime,
  minerUid: 0,
  minerHotkey: '5Miner',
  leadHours: 72,
  attempt: 2,
  maxAttempts: 4,
  queueJobId: 811,
  expectedLeads: 10,
};
const era5 = (identity?: StepIdentity) =>
  step(
    { name: 'era5', substep: 'score', ...(identity === undefined ? {} : { identity: () => identity }) },
    (inner: () => unknown = () => undefined) => inner(),
  );

describe('the identity of a step', () => {
  it('the identity of a step is on the span from its start, with every field, UID 0 included', () => {
    era5(whole)();
    expect(steps.atStart).toEqual([
      {
        'weather.step.name': 'era5',
        'weather.step.substep': 'score',
        'weather.step.status': 'in_progress',
        'weather.validator.hotkey': '5Validator',
        'weather.run.id': 42,
        'weather.run.init_time': '2026-11-23T00:00:00.000Z',
        'weather.run.expected_leads': 10,
        'weather.miner.uid': 0,
        'weather.miner.hotkey': '5Miner',
        'weather.lead_hours': 72,
        'weather.step.attempt': 2,
        'weather.step.max_attempts': 4,
        'weather.step.queue_job_id': 811,
      },
    ]);
  });

  it('the identity of a step is inherited by inner steps, except for what belongs to one attempt', () => {
    era5({ ...whole, traceparent, links: [traceparent] })(() => {
      expect(currentIdentity()).toEqual({
        validatorHotkey: '5Validator',
        runId: 42,
        initTime,
        minerUid: 0,
        minerHotkey: '5Miner',
        leadHours: 72,
        expectedLeads: 10,
      });
      era5({ leadHours: 96 })();
    });
    const [inner, outer] = steps.take();
    expect(inner?.attributes).toMatchObject({ 'weather.run.id': 42, 'weather.lead_hours': 96 });
    expect(Object.keys(inner?.attributes ?? {})).not.toContain('weather.step.attempt');
    expect(inner?.links).toEqual([]);
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  it('the identity of a step does not mix two miners or two runs', () => {
    era5(whole)(() => {
      era5({ minerHotkey: '5Other' })();
      era5({ minerUid: 9 })();
      era5({ runId: 43 })();
    });
    const [otherHotkey, otherUid, otherRun] = steps.take();
    expect(otherHotkey?.attributes['weather.miner.uid']).toBeUndefined();
    expect(otherUid?.attributes['weather.miner.hotkey']).toBeUndefined();
    expect(otherRun?.attributes['weather.run.init_time']).toBeUndefined();
    expect(otherRun?.attributes['weather.miner.hotkey']).toBe('5Miner');
  });

  it('withIdentity gives the whole identity, also across awaits, and ends with its function', async () => {
    await withIdentity({ runId: 42 }, () =>
      withIdentity({ attempt: 3, maxAttempts: 4, traceparent }, async () => {
        await Promise.resolve();
        era5()(() => era5()());
      }),
    );
    const [inner, outer] = steps.take();
    expect(outer?.attributes).toMatchObject({ 'weather.run.id': 42, 'weather.step.attempt': 3 });
    expect(outer?.parentSpanContext?.traceId).toBe(TRACE_ID);
    expect(inner?.attributes['weather.step.attempt']).toBeUndefined();
    expect(currentIdentity()).toEqual({});
  });

  it('the identity of a step names a remote parent and links', () => {
    era5({ traceparent, links: [traceparent] })();
    const span = steps.takeOne();
    expect(span.kind).toBe(SpanKind.INTERNAL);
    expect(span.spanContext().traceId).toBe(TRACE_ID);
    expect(span.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true });
    expect(span.links.map((link) => link.context.traceId)).toEqual([TRACE_ID]);
  });

  it('an unreadable part of an identity is left out and counted', () => {
    const before = instrumentationFaults();
    era5({ traceparent: 'nonsense', links: ['nonsense', traceparent] })();
    expect(steps.takeOne().links).toHaveLength(1);
    era5({ runId: 42, initTime: new Date('never') })();
    expect(steps.takeOne().attributes['weather.run.id']).toBe(42);
    const after = instrumentationFaults();
    expect(after.traceparent - before.traceparent).toBe(2);
    expect(after.identity - before.identity).toBe(1);
  });
});

describe('currentTraceparent', () => {
  it('currentTraceparent names the running step, so that a later step can have it as parent', () => {
    const traceparent = era5()(() => currentTraceparent());
    const { traceId, spanId } = steps.takeOne().spanContext();
    expect(traceparent).toBe(`00-${traceId}-${spanId}-01`);
  });

  it('currentTraceparent is undefined outside of any step', () => {
    expect(currentTraceparent()).toBeUndefined();
  });
});

describe('parseTraceparent', () => {
  it('parseTraceparent accepts a later version with more fields, and keeps only the sampled flag', () => {
    const later = parseTraceparent(`01-${TRACE_ID}-b7ad6b7169203331-03-more`);
    expect(later?.traceFlags).toBe(TraceFlags.SAMPLED);
  });

  it.each([
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '00-0AF7-b7ad6b7169203331-01',
    '',
  ])('parseTraceparent refuses %j', (text) => {
    expect(parseTraceparent(text)).toBeNull();
  });
});
