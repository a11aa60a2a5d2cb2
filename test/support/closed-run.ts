import fc from 'fast-check';
import { closingSpan } from '../../src/facts/closing.ts';
import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import { CLOSING_REASONS } from '../../src/semconv/index.ts';
import { recordedRun } from './recorded-run.ts';
import { T } from './spans.ts';

const AT = Number(T / 1000n);
const closing = fc.record({
  reason: fc.constantFrom(...CLOSING_REASONS),
  at: fc.integer({ min: AT, max: AT + 120_000_000 }),
});

/** The spans of some recorded runs, in which some of the steps that never told their end were closed. */
export const closedRun: fc.Arbitrary<readonly ObservedSpan[]> = recordedRun.chain((spans) => {
  const ended = new Set(spans.filter(({ phase }) => phase === 'ended').map(({ spanId }) => spanId));
  const open = spans.filter(({ spanId }) => !ended.has(spanId));
  const closings = open.map((span) => fc.option(closing.map((why) => closingSpan(span, why))));
  return fc.tuple(...closings).map((closed) => [...spans, ...closed.filter((span) => span !== null)]);
});
