import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '#spool/format/byte-writer';
import { SpanDecoder } from '#spool/format/span-decoder';
import { SpanEncoder } from '#spool/format/span-encoder';
import { toPayload, toSpan } from '#spool/format/spool-record';
import type { ObservedSpan } from '#facts/observed-span';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import { componentScore, endedSpan } from '#test/support/spans';

const SPAN = endedSpan({ step: 'query' });
const withAttributes = (attributes: Readonly<Record<string, unknown>>): ObservedSpan => ({
  ...SPAN,
  attributes,
});
const read = (span: ObservedSpan): ObservedSpan | null => toSpan({ payload: toPayload(span) });
const readAttributes = (attributes: Readonly<Record<string, unknown>>): unknown =>
  read(withAttributes(attributes))?.attributes;

describe('span codec', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['numbers that JSON cannot represent', { nan: NaN, up: Infinity, down: -Infinity, zero: -0 }],
    ['whole numbers of every size', { a: 0, b: -1, c: 2 ** 31 - 1, d: 2 ** 31, e: -(2 ** 31), f: 2 ** 53 }],
    ['fractions', { a: 0.1, b: -1e-300, c: 1.7976931348623157e308 }],
    ['flags and null', { a: true, b: false, c: null }],
    ['big integers', { a: 5n, b: -(2n ** 80n) }],
    ['lists and objects, its own escapes included', { a: [1, null, 'x'], b: { $bigint: 'no' } }],
    [
      'texts with unpaired surrogates, NUL and any script',
      { a: '\ud800', b: '\0', c: 'ß 気圧 🌀', ключ: '' },
    ],
    ['long texts', { a: 'x'.repeat(5000), b: 'ß'.repeat(5000) }],
    [
      'names that are special in JavaScript',
      JSON.parse('{"__proto__":"x","constructor":1}') as Record<string, unknown>,
    ],
    ['no attributes', {}],
  ])('%s survive a round trip', (_, attributes) => {
    const kept = readAttributes(attributes);
    expect(kept).toEqual(attributes);
    expect(Object.entries(kept as object)).toEqual(Object.entries(attributes));
  });

  it.each([true, false, undefined])('the sampled flag %s survives a round trip', (traceSampled) => {
    expect(read({ ...SPAN, traceSampled })?.traceSampled).toBe(traceSampled);
  });

  it('the flag follows what earlier versions read of a record, and their records are read without it', () => {
    const [earlier, later] = [toPayload(SPAN), toPayload({ ...SPAN, traceSampled: true })];
    expect(later.subarray(0, -1)).toEqual(earlier);
    expect(toSpan({ payload: earlier })).toEqual(SPAN);
  });

  it('values that JSON omits are omitted, and a date becomes its text', () => {
    const date = new Date('2026-11-23T00:00:00Z');
    const attributes = { a: undefined, b: () => 1, c: Symbol('c'), date, d: 'kept' };
    expect(readAttributes(attributes)).toEqual({ date: date.toISOString(), d: 'kept' });
  });

  it('a circular value throws a TypeError', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => toPayload(withAttributes({ circle }))).toThrow(TypeError);
  });

  it.each([2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n), -(2n ** 63n) + 1n, 2n ** 200n, -1n, 0n])(
    'the instant %i survives a round trip in every position',
    (nanos) => {
      const event = { ...componentScore({ rmse: 1 }), timeUnixNano: nanos };
      const span = { ...SPAN, startTimeUnixNano: nanos, endTimeUnixNano: nanos, events: [event] };
      expect(read(span)).toEqual(span);
    },
  );

  it('a decoded span equals its JSON round trip, whatever the encoder has encoded before', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('weather.stage', 'weather.step.name'),
    );
    const value = fc.oneof(
      text,
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt(),
      fc.array(text),
    );
    const members = fc.dictionary(text, value, { maxKeys: 8 });
    const spans = fc.array(
      fc.record({ attributes: members, event: members, resource: members, name: fc.constantFrom('a', 'b') }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(spans, (given) => {
        const writer = new ByteWriter(16);
        const encoder = new SpanEncoder(writer);
        const decoder = new SpanDecoder();
        for (const { attributes, event, resource, name } of given) {
          const span = { ...SPAN, name, attributes, resource, events: [componentScore(event)] };
          writer.cutTo(0);
          encoder.encode(span);
          expect(decoder.decode(writer.slice(0, writer.length))).toEqual(decodeSpan(encodeSpan(span)));
        }
      }),
    );
  });

  it('a payload that is truncated or of another version decodes to null', () => {
    const payload = toPayload({ ...SPAN, events: [componentScore({ rmse: 1.5 })] });
    for (let end = 0; end < payload.length; end += 1)
      expect(toSpan({ payload: payload.subarray(0, end) })).toBeNull();
    payload[0] = 2;
    expect(toSpan({ payload })).toBeNull();
  });

  it('consecutive spans share the resource object without retaining the payload', () => {
    const decoder = new SpanDecoder();
    const [first, second] = [toPayload(SPAN), toPayload(endedSpan({ step: 'query', at: 5 }))];
    const before = decoder.decode(first);
    first.fill(0);
    const after = decoder.decode(second);
    expect(after.resource).toBe(before.resource);
    expect(after).toEqual(endedSpan({ step: 'query', at: 5 }));
    const other = endedSpan({ step: 'query', instance: 'instance-2' });
    expect(decoder.decode(toPayload(other))).toEqual(other);
  });
});
