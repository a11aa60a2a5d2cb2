import { describe, expect, it } from 'vitest';
import { MAX_DEPTH } from '#ingest/decode/attributes';
import { MAX_ITEMS, MAX_SPANS } from '#ingest/decode/item-limit';
import { decodeProtobufSpans } from '#ingest/decode/protobuf-spans';
import {
  attribute,
  bytes,
  double,
  fixed32,
  fixed64,
  identity,
  number,
  request,
  type Bytes,
} from '../support/protobuf.ts';

/** What the Python SDK 1.45.2 sends for one span with every kind of value, an event, a link and a status. */
const GOLDEN = Buffer.from(
  [
    '0ace020a220a200a18776561746865722e76616c696461746f722e686f746b657912040a02355612a7020a070a02707912013112',
    '9b020a104bf92f3577b34da6a3ce929d0e0e4736120800f067aa0ba902b7220853995c3f42cd8ad82a0571756572793003390140',
    'ec379fb47a184183f2d2469fb47a184a1c0a11776561746865722e737465702e6e616d6512070a0571756572794a170a11776561',
    '746865722e6d696e65722e756964120218074a120a05726174696f120921000000000000d03f4a080a026f6b120210014a130a05',
    '6c65616473120a2a080a0218180a0218305a36090240ec379fb47a181209657863657074696f6e1a200a0e657863657074696f6e',
    '2e74797065120e0a0c54696d656f75744572726f726a210a104bf92f3577b34da6a3ce929d0e0e4736120853995c3f42cd8ad835',
    '000100007a0d12096e6f20616e737765721802850100010000',
  ].join(''),
  'hex',
);

const only = (span: Bytes) => decodeProtobufSpans(request([span])).spans[0];
const faultsOf = (body: Buffer) => decodeProtobufSpans(body).faults.listed;
const valueOf = (value: Bytes): unknown =>
  only([...identity, ...attribute(9, 'it', value)])?.attributes['it'];

describe('a request in protobuf', () => {
  it('a request in protobuf is read from the bytes that another implementation wrote', () => {
    expect(decodeProtobufSpans(GOLDEN).spans).toEqual([
      {
        phase: 'ended',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '00f067aa0ba902b7',
        parentSpanId: '53995c3f42cd8ad8',
        name: 'query',
        startTimeUnixNano: 1_763_920_800_000_000_001n,
        endTimeUnixNano: 1_763_920_800_250_000_003n,
        statusCode: 'error',
        statusMessage: 'no answer',
        attributes: {
          'weather.step.name': 'query',
          'weather.miner.uid': 7,
          ratio: 0.25,
          ok: true,
          leads: [24, 48],
        },
        events: [
          {
            name: 'exception',
            timeUnixNano: 1_763_920_800_000_000_002n,
            attributes: { 'exception.type': 'TimeoutError' },
          },
        ],
        resource: { 'weather.validator.hotkey': '5V' },
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
      },
    ]);
  });

  it('a request in protobuf may be empty, and a span may have nothing but its ids', () => {
    expect(decodeProtobufSpans(Buffer.alloc(0)).spans).toEqual([]);
    expect(only(identity)).toMatchObject({
      parentSpanId: null,
      name: '',
      statusCode: 'unset',
      statusMessage: null,
      attributes: {},
      resource: {},
    });
  });

  it('a resource in protobuf belongs to all of its spans, also when it follows them or comes in parts', () => {
    const spans = bytes(2, [...bytes(2, identity), ...bytes(2, identity)]);
    const resource = (key: string): Bytes => bytes(1, attribute(1, key, bytes(1, 'x')));
    const body = Buffer.from(bytes(1, [...spans, ...resource('a'), ...spans, ...resource('b')]));
    const read = decodeProtobufSpans(body).spans;
    expect(read).toHaveLength(4);
    for (const span of read) expect(span.resource).toEqual({ a: 'x', b: 'x' });
  });

  it('a request in protobuf carries the dropped counts of the sender', () => {
    expect(only([...identity, ...number(10, 3), ...number(12, 200)])).toMatchObject({
      droppedAttributesCount: 3,
      droppedEventsCount: 200,
    });
  });

  it('the sampled bit in protobuf is read, and a sender that leaves it out says nothing of its trace', () => {
    expect(only([...identity, ...fixed32(16, [1, 1, 0, 0])])?.traceSampled).toBe(true);
    expect(only([...identity, ...fixed32(16, [0, 1, 0, 0])])?.traceSampled).toBeUndefined();
    expect(only(identity)?.traceSampled).toBeUndefined();
  });

  it('unknown fields in protobuf are skipped, also known ones with another wire type', () => {
    const added = [
      ...number(99, 1n << 40n),
      ...bytes(100, 'new'),
      ...fixed64(101, 1n),
      ...fixed32(102, [1, 2, 3, 4]),
      ...number(5, 7),
    ];
    expect(only([...added, ...identity, ...added])).toMatchObject({ spanId: '00f067aa0ba902b7', name: '' });
  });

  it('an unknown status code in protobuf is unset', () => {
    expect(only([...identity, ...bytes(15, number(3, 1))])?.statusCode).toBe('ok');
    expect(only([...identity, ...bytes(15, number(3, 17))])?.statusCode).toBe('unset');
  });
});

describe('a value in protobuf', () => {
  it.each([
    ['text', bytes(1, 'Wörter'), 'Wörter'],
    ['empty text', bytes(1, ''), ''],
    ['a flag', number(2, 1), true],
    ['a flag that is off', number(2, 0), false],
    ['a double', double(4, -0.5), -0.5],
    ['no number', double(4, NaN), NaN],
    ['bytes, as base64', bytes(7, [1, 2, 255]), 'AQL/'],
    ['nothing', [], null],
    [
      'a list',
      bytes(5, [...bytes(1, number(3, 1)), ...bytes(1, bytes(1, 'b')), ...bytes(1, [])]),
      [1, 'b', null],
    ],
    [
      'an object',
      bytes(6, [...attribute(1, 'a', number(3, 1)), ...attribute(1, 'b', number(2, 1))]),
      { a: 1, b: true },
    ],
    ['the last one where there are two', [...number(3, 1), ...bytes(1, 'last')], 'last'],
  ])('a value in protobuf is %s', (_what, value, expected) => {
    expect(valueOf(value)).toEqual(expected);
  });

  it.each([0n, 1n, 127n, 128n, 2n ** 49n - 1n, 2n ** 49n, 2n ** 53n - 1n, -1n, -(2n ** 53n) + 1n])(
    'a value in protobuf is the whole number %s exactly',
    (value) => expect(valueOf(number(3, value))).toBe(Number(value)),
  );

  it.each([2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])(
    'a value in protobuf is the bigint %s when a double is not exact',
    (value) => expect(valueOf(number(3, value))).toBe(value),
  );

  it('a value in protobuf is set under any key, also under __proto__', () => {
    const attributes = only([...identity, ...attribute(9, '__proto__', bytes(1, 'x'))])?.attributes ?? {};
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
    expect(Object.entries(attributes)).toEqual([['__proto__', 'x']]);
  });
});

describe('a malformed protobuf body', () => {
  it.each([
    [
      'ends within a length',
      Buffer.from([0x0a]),
      /1 bytes should follow byte 1, and the message ends after 0/,
    ],
    ['promises more than it holds', Buffer.from([0x0a, 5, 1]), /5 bytes should follow byte 2/],
    ['has a field 0', Buffer.from([0x02, 0]), /a field has the number 0/],
    ['has a group', Buffer.from([0x0b, 0x0c]), /field 1 has the wire type 3/],
    ['has a number without an end', Buffer.from(Array<number>(12).fill(0xff)), /longer than 10 bytes/],
    ['is JSON', Buffer.from('{"resourceSpans": []}'), /malformed/],
  ])('a protobuf body that %s is rejected with 400', (_what, body, message) => {
    expect(() => decodeProtobufSpans(body)).toThrow(message);
    expect(() => decodeProtobufSpans(body)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('more spans than a body may hold are refused before one of them is read, over all of its scopes', () => {
    const reads: string[] = [];
    const isWanted = ({ spanId }: { readonly spanId: string }) => reads.push(spanId) > 0;
    const bodyOf = (spans: number): Buffer => {
      const empty = Array.from({ length: spans / 2 }, () => bytes(2, [])).flat();
      return Buffer.from(bytes(1, [...bytes(2, empty), ...bytes(2, empty)]));
    };
    expect(() => decodeProtobufSpans(bodyOf(MAX_SPANS + 2), { isWanted })).toThrow(
      expect.objectContaining({ status: 413 }),
    );
    const damaged = Buffer.from(bytes(1, bytes(2, [0x12, 9])));
    expect(() => decodeProtobufSpans(Buffer.concat([damaged, bodyOf(MAX_SPANS + 2)]), { isWanted })).toThrow(
      expect.objectContaining({ status: 413 }),
    );
    expect(reads).toEqual([]);
    decodeProtobufSpans(bodyOf(MAX_SPANS), { isWanted });
    expect(reads).toHaveLength(MAX_SPANS);
  });

  it('a span in protobuf that exceeds its enclosing message is a fault of its own', () => {
    const inner = [...bytes(1, [1, 2, 3])].map((byte, index) => (index === 1 ? 9 : byte));
    expect(
      faultsOf(Buffer.from([...bytes(1, bytes(2, bytes(2, inner))), ...bytes(7, 'after')])),
    ).toMatchObject([
      expect.stringMatching(/^resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\].*9 bytes should follow/),
    ]);
  });

  it('a span in protobuf with a value nested too deep is a fault of its own, before the stack overflows', () => {
    const nested = (depth: number): Bytes =>
      depth === 0 ? number(3, 1) : bytes(5, bytes(1, nested(depth - 1)));
    const spanOf = (value: Bytes): Bytes => [...identity, ...attribute(9, 'it', value)];
    expect(valueOf(nested(MAX_DEPTH))).toBeDefined();
    const { spans, faults } = decodeProtobufSpans(
      request([identity, spanOf(nested(MAX_DEPTH + 1)), identity]),
    );
    expect(spans).toHaveLength(2);
    expect(faults.listed).toEqual([
      'resourceSpans[0].scopeSpans[0].spans[1] (span id "00f067aa0ba902b7"): a value is nested deeper than 64 levels',
    ]);
  });

  it('a resource in protobuf that cannot be read refuses its own spans, and those of others are read', () => {
    const broken = bytes(1, [
      ...bytes(1, [0x0a, 9, 1]),
      ...bytes(2, [...bytes(2, identity), ...bytes(2, identity)]),
    ]);
    const { spans, faults } = decodeProtobufSpans(Buffer.concat([Buffer.from(broken), request([identity])]));
    expect(spans).toHaveLength(1);
    expect([faults.spans, faults.listed[0]]).toEqual([
      2,
      expect.stringMatching(/^resourceSpans\[0\]\.resource: /),
    ]);
  });

  it('a span in protobuf whose end is 0 or absent is running', () => {
    const running = { phase: 'started', endTimeUnixNano: null };
    expect(only(identity)).toMatchObject(running);
    expect(only([...identity, ...fixed64(8, 0n)])).toMatchObject(running);
    expect(only([...identity, ...fixed64(8, 5n)])).toMatchObject({ phase: 'ended', endTimeUnixNano: 5n });
  });

  it('a protobuf body is rejected as too large when few bytes decode to too many items', () => {
    const spans = Buffer.alloc(2 * (MAX_ITEMS + 1));
    for (let at = 0; at < spans.length; at += 2) spans[at] = 0x12;
    const scope = Buffer.concat([Buffer.from([...bytes(2, [])].slice(0, 1)), length(spans.length), spans]);
    const body = Buffer.concat([Buffer.from([0x0a]), length(scope.length), scope]);
    expect(() => decodeProtobufSpans(body)).toThrow(expect.objectContaining({ status: 413 }));
  });
});

/** The varint of a length. */
const length = (value: number): Buffer => Buffer.from([...number(1, value)].slice(1));
