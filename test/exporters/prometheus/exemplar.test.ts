import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exemplarOf } from '#prometheus/step-metrics';
import { exporterFor, SPAN_ID, stepFact, TRACE_ID } from './fixtures.ts';

describe('exemplarOf', () => {
  it('an exemplar links an observation to its trace and span', () => {
    expect(exemplarOf({ traceId: TRACE_ID, spanId: SPAN_ID, traceSampled: null })).toEqual({
      trace_id: TRACE_ID,
      span_id: SPAN_ID,
    });
  });

  it('an exemplar of more than 128 characters, names included, is left out', () => {
    const room = 128 - 'trace_id'.length - 'span_id'.length - SPAN_ID.length;
    expect(exemplarOf({ traceId: 'a'.repeat(room), spanId: SPAN_ID, traceSampled: null })).toBeDefined();
    expect(
      exemplarOf({ traceId: 'a'.repeat(room + 1), spanId: SPAN_ID, traceSampled: null }),
    ).toBeUndefined();
  });

  it('an exemplar with an id that is not hexadecimal is left out, so it cannot break the line', () => {
    expect(exemplarOf({ traceId: 'a"} 1\n', spanId: SPAN_ID, traceSampled: null })).toBeUndefined();
    expect(exemplarOf({ traceId: TRACE_ID, spanId: '', traceSampled: null })).toBeUndefined();
  });

  it('a step whose trace was not sampled has no exemplar, since its link would lead nowhere', () => {
    const ids = { traceId: TRACE_ID, spanId: SPAN_ID };
    const isLinked = (traceSampled: boolean | null) => exemplarOf({ ...ids, traceSampled }) !== undefined;
    expect([true, null, false].map(isLinked)).toEqual([true, true, false]);
  });

  it('an observation never fails because of its ids', () => {
    const id = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('a', '0'), maxLength: 300 }),
    );
    fc.assert(
      fc.property(id, id, (traceId, spanId) => {
        const exporter = exporterFor();
        const observe = () => exporter.observe({ steps: [stepFact({ traceId, spanId })], minerStats: [] });
        expect(observe).not.toThrow();
      }),
      { numRuns: 40 },
    );
  });
});
