import { SpanKind, trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMinerClient, type MinerClient } from '#pipeline/miners/index';
import { step } from '#steps';
import { captureSpans } from '../support/captured-spans.ts';
import { ACCESS, HOTKEY, JOB_ID, startScriptedMiner } from './scripted-miner.ts';

const FOREIGN_TRACE = 'f'.repeat(32);
const FOREIGN = `00-${FOREIGN_TRACE}-${'e'.repeat(16)}-01`;
const REQUEST = { initTime: new Date('2025-11-26T00:00:00Z'), validatorHotkey: '5Validator' };

const spans = captureSpans();
let client: MinerClient;
beforeAll(() => {
  client = createMinerClient();
});
afterEach(() => spans.reset());
afterAll(() => client.close());

/** A miner that names a trace of its own in every header that could be taken for ours. */
const startPushyMiner = () =>
  startScriptedMiner((response) => {
    const headers = { 'content-type': 'application/json', traceparent: FOREIGN, tracestate: 'miner=1' };
    const body = { status: 'fetch_accepted', job_id: JOB_ID, progress: 1, traceparent: FOREIGN };
    response.writeHead(200, { ...headers, traceresponse: FOREIGN }).end(JSON.stringify(body));
  });

describe('trace context', () => {
  it('every request carries the traceparent of its communication step', async () => {
    await using scripted = await startPushyMiner();
    await client.initiateFetch(scripted.miner, REQUEST);
    await client.fetchManifest(scripted.miner, ACCESS);
    const traceparents = scripted.received.map(({ headers }) => headers['traceparent']);
    const calls = spans.of().map((span) => span.spanContext());
    expect(calls).toHaveLength(3);
    expect(traceparents).toEqual(calls.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
  });

  it('a trace context in a reply is ignored, for the span and for those that follow', async () => {
    await using scripted = await startPushyMiner();
    const query = step({ name: 'query', substep: 'initiate_fetch' }, async () => {
      await client.initiateFetch(scripted.miner, REQUEST);
      await client.initiateFetch(scripted.miner, REQUEST);
    });
    await query();
    const all = spans.of();
    expect(all.map(({ name }) => name)).toEqual([
      'communication initiate_fetch',
      'communication initiate_fetch',
      'query initiate_fetch',
    ]);
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(all.map((span) => [span.spanContext().traceState, span.links])).toEqual(
      all.map(() => [undefined, []]),
    );
    expect(JSON.stringify(all.map(({ attributes, events }) => [attributes, events]))).not.toContain(
      FOREIGN_TRACE,
    );
  });

  it('calls are client spans, and the steps around them are internal spans', async () => {
    await using scripted = await startPushyMiner();
    await step({ name: 'query', substep: 'initiate_fetch' }, () =>
      client.initiateFetch(scripted.miner, REQUEST),
    )();
    expect(spans.of().map(({ kind }) => kind)).toEqual([SpanKind.CLIENT, SpanKind.INTERNAL]);
  });

  it('the reads of a forecast carry the traceparent of the step that reads it', () => {
    const miner = { uid: 3, hotkey: HOTKEY, baseUrl: 'http://host:1' };
    const reading = step({ name: 'verify', substep: 'manifest' }, () => {
      const running = trace.getActiveSpan()?.spanContext();
      return { running, headers: client.forecastReader(miner, ACCESS).headers };
    });
    const { running, headers } = reading();
    expect(headers.traceparent).toBe(`00-${running?.traceId ?? ''}-${running?.spanId ?? ''}-01`);
  });
});
