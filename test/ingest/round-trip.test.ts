import { ProtobufTraceSerializer, JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toObservedSpan } from '#processor/observed-span';
import type { ObservedSpan } from '#facts/observed-span';
import { decodeJsonSpans } from '#ingest/decode/json-spans';
import { decodeProtobufSpans } from '#ingest/decode/protobuf-spans';
import { HttpError } from '#ingest/http-error';
import { sdkSpans, VARIED } from './support/sdk-spans.ts';

const encode = (
  serializer: { serializeRequest(spans: ReadableSpan[]): Uint8Array | undefined },
  spans: readonly ReadableSpan[],
): Buffer => Buffer.from(serializer.serializeRequest([...spans]) ?? []);
const observe = (spans: readonly ReadableSpan[]): ObservedSpan[] =>
  spans.map((span) => toObservedSpan(span, 'ended'));

/** Attributes as any program may set them. Whole numbers stay safe: beyond that the SDK itself sends another one. */
const anyAttributes = fc.dictionary(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
    fc.array(fc.string({ unit: 'grapheme' })),
    fc.array(fc.maxSafeInteger()),
  ),
  { maxKeys: 8 },
);

describe('spans that the SDK sends', () => {
  const spans = sdkSpans(VARIED);

  it.each([
    ['protobuf', ProtobufTraceSerializer, decodeProtobufSpans],
    ['JSON', JsonTraceSerializer, decodeJsonSpans],
  ])(
    'spans that the SDK sends are in %s what they are in the process that made them',
    (_name, serializer, decode) => {
      expect(spans).toHaveLength(VARIED.length + 1);
      expect(decode(encode(serializer, spans)).spans).toEqual(observe(spans));
    },
  );

  it('spans that the SDK sends are the same over both encodings whatever their attributes are', () => {
    fc.assert(
      fc.property(anyAttributes, anyAttributes, (attributes, resource) => {
        const made = sdkSpans([{ attributes, events: [{ name: 'event', attributes }] }], resource);
        const observed = observe(made);
        expect(decodeProtobufSpans(encode(ProtobufTraceSerializer, made)).spans).toEqual(observed);
        expect(decodeJsonSpans(encode(JsonTraceSerializer, made)).spans).toEqual(observed);
      }),
      { numRuns: 150, seed: 20261123 },
    );
  });

  it('spans that the SDK sends keep NaN and infinities in protobuf; in JSON all of them become NaN', () => {
    const made = sdkSpans([{ attributes: { nan: NaN, much: Infinity, little: -Infinity } }]);
    expect(decodeProtobufSpans(encode(ProtobufTraceSerializer, made)).spans[0]?.attributes).toEqual({
      nan: NaN,
      much: Infinity,
      little: -Infinity,
    });
    expect(decodeJsonSpans(encode(JsonTraceSerializer, made)).spans[0]?.attributes).toEqual({
      nan: NaN,
      much: NaN,
      little: NaN,
    });
  });
});

describe('a damaged body', () => {
  const whole = encode(ProtobufTraceSerializer, sdkSpans(VARIED));

  it('a damaged body gives spans or an HttpError 400, wherever it was cut', () => {
    for (let length = 0; length < whole.length; length += 1) {
      expect(outcomeOf(whole.subarray(0, length))).toMatch(/^(spans|400)$/);
    }
  });

  it('a damaged body gives spans or an HttpError for 2,000 mutations as well', () => {
    const outcomes = new Map<string, number>();
    const mutation = fc.record({
      at: fc.nat(whole.length - 1),
      kind: fc.constantFrom('set', 'flip', 'insert', 'remove'),
      value: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        const bytes = [...whole];
        for (const { at, kind, value } of mutations) {
          if (kind === 'set') bytes[at] = value;
          if (kind === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << (value % 8));
          if (kind === 'insert') bytes.splice(at, 0, value);
          if (kind === 'remove') bytes.splice(at, 1 + (value % 4));
        }
        const outcome = outcomeOf(Buffer.from(bytes));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        expect(outcome).toMatch(/^(spans|400)$/);
      }),
      { numRuns: 2000, seed: 20261123 },
    );
    expect([...outcomes.keys()].sort()).toEqual(['400', 'spans']);
  });
});

/** What decoding comes to: `spans` that are whole, or the status of the refusal. */
function outcomeOf(body: Buffer): string {
  try {
    for (const span of decodeProtobufSpans(body).spans) {
      expect(typeof span.startTimeUnixNano).toBe('bigint');
      expect(span.traceId).toMatch(/^([0-9a-f]{2})*$/);
      expect(span.phase).toBe(span.endTimeUnixNano === null ? 'started' : 'ended');
    }
    return 'spans';
  } catch (error) {
    if (error instanceof HttpError) return String(error.status);
    throw error;
  }
}
