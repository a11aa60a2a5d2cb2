import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { Faults } from '#ingest/decode/faults';
import { type DeliverBatch, deliverSpans as deliver, type SinkReport } from '#ingest/deliver-spans';
import { endedSpan, T } from '../support/spans.ts';

const good = endedSpan({ step: 'query' });
const NOW = Number(T / 1_000_000n);
const ignore = (): void => undefined;
const unknownStatus = endedSpan({ step: 'query', status: 'finished', spanId: 'b'.repeat(16) });
const foreign: ObservedSpan = { ...good, attributes: { 'http.request.method': 'GET' } };

/** Delivers spans that were all readable, at the time of the test. */
const deliverSpans = (
  spans: readonly ObservedSpan[],
  to: DeliverBatch,
  onProblem: (error: unknown) => void,
) =>
  deliver(
    { spans: [...spans], faults: new Faults() },
    { deliver: to, onProblem, now: () => NOW, token: { token: '', validators: null } },
  );

/** A sink that answers with one report after the other, the last one again and again, and keeps what it was given. */
function sinkOf(...reports: readonly (SinkReport | Error)[]) {
  const batches: (readonly ObservedSpan[])[] = [];
  const deliver = async (spans: readonly ObservedSpan[]): Promise<SinkReport> => {
    batches.push(spans);
    const report = reports[Math.min(batches.length, reports.length) - 1];
    if (report === undefined || report instanceof Error) throw report ?? new Error('no report');
    return report;
  };
  return { batches, deliver };
}
const WRITTEN = { kind: 'written' } as const;

describe('deliverSpans', () => {
  it.each([
    ['0', 0n, /the step started at 1970-01-01T00:00:00.000Z; allowed: 2000-01-01/],
    ['of a clock that is two days ahead', BigInt(NOW + 172_800_000) * 1_000_000n, /to a day after now/],
  ])(
    'deliverSpans tells the sender of a span whose start is %s, and still delivers it as a dead letter',
    async (_what, startTimeUnixNano, message) => {
      const { batches, deliver } = sinkOf(WRITTEN);
      const taken = await deliverSpans([good, { ...good, startTimeUnixNano }], deliver, ignore);
      expect(taken.rejectedSpans).toBe(1);
      expect(taken.errorMessage).toMatch(message);
      expect(batches[0]).toHaveLength(2);
    },
  );

  it('deliverSpans accepts a valid step, and the span of another program, which it does not keep', async () => {
    const { batches, deliver } = sinkOf(WRITTEN);
    const taken = await deliverSpans([good, foreign], deliver, ignore);
    expect(taken).toEqual({ rejectedSpans: 0, errorMessage: '' });
    expect(batches).toEqual([[good]]);
  });

  it('deliverSpans counts an invalid span with its reason, and still delivers it to the sink', async () => {
    const { batches, deliver } = sinkOf(WRITTEN);
    const { rejectedSpans, errorMessage } = await deliverSpans([good, unknownStatus], deliver, ignore);
    expect(rejectedSpans).toBe(1);
    expect(errorMessage).toMatch(/^span b{16}: weather\.step\.status is "finished"; allowed: .*succeeded/);
    expect(batches[0]).toHaveLength(2);
  });

  it.each([
    ['trace id', { traceId: '' }, /^span ".*" has the trace id ""; allowed: 16 bytes, not all zero/],
    ['trace id', { traceId: '0'.repeat(32) }, /trace id "0{32}"/],
    ['span id', { spanId: 'abcd' }, /has the span id "abcd" in the trace [0-9a-f]{32}; allowed: 8 bytes/],
    ['span id', { spanId: '0'.repeat(16) }, /span id/],
    ['parent span id', { parentSpanId: 'abcd' }, /parent span id "abcd" .*; allowed: 8 bytes, or none/],
  ])(
    'deliverSpans withholds a span with an invalid %s, and delivers the others',
    async (_what, ids, message) => {
      const { batches, deliver } = sinkOf(WRITTEN);
      const taken = await deliverSpans([good, { ...good, ...ids }], deliver, ignore);
      expect(taken.rejectedSpans).toBe(1);
      expect(taken.errorMessage).toMatch(message);
      expect(batches).toEqual([[good]]);
    },
  );

  it('deliverSpans takes a span whose parent is all zeros for a root', async () => {
    const { batches, deliver } = sinkOf(WRITTEN);
    await deliverSpans([{ ...good, parentSpanId: '0'.repeat(16) }], deliver, ignore);
    expect(batches).toEqual([[{ ...good, parentSpanId: null }]]);
  });

  it('deliverSpans lists the first faults and the number of the others', async () => {
    const bad = Array.from({ length: 8 }, () => unknownStatus);
    const { rejectedSpans, errorMessage } = await deliverSpans(bad, sinkOf(WRITTEN).deliver, ignore);
    expect(rejectedSpans).toBe(8);
    expect(errorMessage.split('; span')).toHaveLength(5);
    expect(errorMessage).toMatch(/; and 3 more$/);
  });

  it('deliverSpans names senders without an instance by what their resource says, and leaves the others as they are', async () => {
    const { batches, deliver } = sinkOf(WRITTEN);
    const from = (resource: ObservedSpan['resource']): ObservedSpan => ({ ...good, resource });
    const named = from({ 'service.instance.id': 'a', 'host.name': 'x' });
    const spans = [
      named,
      from({ 'host.name': 'x', 'process.pid': 7 }),
      from({ 'process.pid': 7, 'host.name': 'x' }),
      from({ 'host.name': 'y', 'service.instance.id': '' }),
      from({ big: 2n ** 60n }),
    ];
    await deliverSpans(spans, deliver, ignore);
    const ids = batches[0]?.map(({ resource }) => String(resource['service.instance.id'])) ?? [];
    expect(batches[0]?.[0]).toBe(named);
    expect(ids[1]).toMatch(/^unnamed-[0-9a-f]{16}$/);
    expect(ids[2]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(4);
  });

  it('deliverSpans sends no secret back to the sender', async () => {
    const leaky = endedSpan({ step: 'query', status: 'Bearer abcdefghijklmnop' });
    const { errorMessage } = await deliverSpans([leaky], sinkOf(WRITTEN).deliver, ignore);
    expect(errorMessage).toContain('weather.step.status');
    expect(errorMessage).not.toContain('abcdefghijklmnop');
  });

  it('deliverSpans writes many spans in batches of 2,000, in their order', async () => {
    const spans = Array.from({ length: 4500 }, (_, index) => ({ ...good, name: String(index) }));
    const { batches, deliver } = sinkOf(WRITTEN);
    expect((await deliverSpans(spans, deliver, ignore)).rejectedSpans).toBe(0);
    expect(batches.map(({ length }) => length)).toEqual([2000, 2000, 500]);
    expect(batches.flat()).toEqual(spans);
  });

  it.each([
    ['reports retryable', { kind: 'retryable', error: new Error('down') } as const],
    ['throws', new Error('down')],
  ])(
    'deliverSpans replies 503 when the sink %s, and reports the reason on our side only',
    async (_how, report) => {
      const problems: unknown[] = [];
      const taking = deliverSpans([good], sinkOf(report).deliver, (problem) => void problems.push(problem));
      await expect(taking).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
      await expect(taking).rejects.not.toThrow(/down/);
      expect(problems).toEqual([new Error('down')]);
    },
  );

  it('deliverSpans replies 503 for all spans when only the first batch could be written', async () => {
    const spans = Array.from({ length: 2001 }, () => good);
    const sink = sinkOf(WRITTEN, { kind: 'retryable', error: new Error('down') });
    await expect(deliverSpans(spans, sink.deliver, ignore)).rejects.toMatchObject({ status: 503 });
    expect(sink.batches).toHaveLength(2);
  });

  it('deliverSpans counts a rejected batch, and writes the next one', async () => {
    const spans = Array.from({ length: 2003 }, () => good);
    const problems: unknown[] = [];
    const sink = sinkOf({ kind: 'rejected', error: 'no such table' }, WRITTEN);
    const taken = await deliverSpans(spans, sink.deliver, (problem) => void problems.push(problem));
    expect(taken.rejectedSpans).toBe(2000);
    expect(taken.errorMessage).toContain('the database rejected the rows of its batch');
    expect(sink.batches).toHaveLength(2);
    expect(problems).toEqual(['no such table']);
  });

  it('deliverSpans does not call the sink without spans', async () => {
    const { batches, deliver } = sinkOf(WRITTEN);
    expect(await deliverSpans([], deliver, ignore)).toEqual({ rejectedSpans: 0, errorMessage: '' });
    expect(batches).toEqual([]);
  });
});
