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

describe('a span as bytes', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['numbers that JSON cannot say', { nan: NaN, up: Infinity, down: -Infinity, zero: -0 }],
    ['whole numbers of every size', { a: 0, b: -1, c: 2 ** 31 - 1, d: 2 ** 31, e: -(2 ** 31), f: 2 ** 53 }],
    ['fractions', { a: 0.1, b: -1e-300, c: 1.7976931348623157e308 }],
    ['flags and null', { a: true, b: false, c: null }],
    ['big integers', { a: 5n, b: -(2n ** 80n) }],
    [
      'lists and objects, those included that look like what it writes itself',
      { a: [1, null, 'x'], b: { $bigint: 'no' } },
    ],
    [
      'texts with halves of a pair, NUL and letters of all lands',
      { a: '\ud800', b: '\0', c: 'ß 気圧 🌀', ключ: '' },
    ],
    ['texts longer than any that is remembered', { a: 'x'.repeat(5000), b: 'ß'.repeat(5000) }],
    [
      'a name that means something to the language',
      JSON.parse('{"__proto__":"x","constructor":1}') as Record<string, unknown>,
    ],
    ['nothing', {}],
  ])('a span as bytes keeps %s', (_, attributes) => {
    const kept = readAttributes(attributes);
    expect(kept).toEqual(attributes);
    expect(Object.entries(kept as object)).toEqual(Object.entries(attributes));
  });

  it('a span as bytes leaves out what JSON leaves out, and keeps a date as its text', () => {
    const date = new Date('2026-11-23T00:00:00Z');
    const attributes = { a: undefined, b: () => 1, c: Symbol('c'), date, d: 'kept' };
    expect(readAttributes(attributes)).toEqual({ date: date.toISOString(), d: 'kept' });
  });

  it('a span as bytes refuses a value that is its own member', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => toPayload(withAttributes({ circle }))).toThrow(TypeError);
  });

  it.each([2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n), -(2n ** 63n) + 1n, 2n ** 200n, -1n, 0n])(
    'a span as bytes keeps the instant %i, wherever it stands',
    (nanos) => {
      const event = { ...componentScore({ rmse: 1 }), timeUnixNano: nanos };
      const span = { ...SPAN, startTimeUnixNano: nanos, endTimeUnixNano: nanos, events: [event] };
      expect(read(span)).toEqual(span);
    },
  );

  it('a span as bytes is one that JSON would give as well, whatever was written with the same encoder before', () => {
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

  it('a span as bytes cut anywhere, or of another version, is none', () => {
    const payload = toPayload({ ...SPAN, events: [componentScore({ rmse: 1.5 })] });
    for (let end = 0; end < payload.length; end += 1)
      expect(toSpan({ payload: payload.subarray(0, end) })).toBeNull();
    payload[0] = 2;
    expect(toSpan({ payload })).toBeNull();
  });

  it('a span as bytes shares the resource with the span before it, whose bytes it does not keep', () => {
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
