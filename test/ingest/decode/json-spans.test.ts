import { describe, expect, it } from 'vitest';
import { MAX_DEPTH } from '#ingest/decode/attributes';
import { decodeJsonSpans } from '#ingest/decode/json-spans';

const ID = { traceId: '4BF92F3577B34DA6A3CE929D0E0E4736', spanId: '00f067aa0ba902b7' };
const decode = (value: unknown) => decodeJsonSpans(Buffer.from(JSON.stringify(value)));
const request = (span: object) => ({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...ID, ...span }] }] }] });
const only = (span: object) => decode(request(span)).spans[0];
const valueOf = (value: unknown) => only({ attributes: [{ key: 'it', value }] })?.attributes['it'];

describe('a request in JSON', () => {
  it('a request in JSON is read as the specification writes it', () => {
    const body = {
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'gfs' } }] },
          scopeSpans: [
            {
              scope: { name: 'my.library', version: '1.0.0' },
              spans: [
                {
                  ...ID,
                  parentSpanId: 'EEE19B7EC3C1B173',
                  name: 'I am a span',
                  kind: 2,
                  startTimeUnixNano: '1544712660000000001',
                  endTimeUnixNano: '1544712661000000002',
                  attributes: [{ key: 'my.attribute', value: { intValue: '12' } }],
                  droppedAttributesCount: 1,
                  events: [{ timeUnixNano: '1544712660500000003', name: 'e', attributes: [] }],
                  droppedEventsCount: '2',
                  status: { code: 2, message: 'broken' },
                  somethingNew: { x: 1 },
                },
              ],
            },
          ],
        },
      ],
    };
    expect(decode(body).spans).toEqual([
      {
        phase: 'ended',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '00f067aa0ba902b7',
        parentSpanId: 'eee19b7ec3c1b173',
        name: 'I am a span',
        startTimeUnixNano: 1_544_712_660_000_000_001n,
        endTimeUnixNano: 1_544_712_661_000_000_002n,
        statusCode: 'error',
        statusMessage: 'broken',
        attributes: { 'my.attribute': 12 },
        events: [{ name: 'e', timeUnixNano: 1_544_712_660_500_000_003n, attributes: {} }],
        resource: { 'service.name': 'gfs' },
        droppedAttributesCount: 1,
        droppedEventsCount: 2,
      },
    ]);
  });

  it('the sampled bit in JSON is read, and a sender that leaves it out says nothing of its trace', () => {
    const sampled = (flags: unknown) => only({ flags })?.traceSampled;
    expect([257, '1'].map(sampled)).toEqual([true, true]);
    for (const silent of [256, 0, null, 'none']) expect(sampled(silent)).toBeUndefined();
  });

  it('a request in JSON may omit every field, or have null for it', () => {
    for (const empty of [{}, { resourceSpans: null }, { resourceSpans: [{ scopeSpans: null }] }])
      expect(decode(empty).spans).toEqual([]);
    const bare = { parentSpanId: null, statusCode: 'unset', statusMessage: null, attributes: {}, events: [] };
    expect(only({})).toMatchObject(bare);
    expect(only({ status: null, attributes: null, events: null, parentSpanId: '' })).toMatchObject(bare);
  });

  it.each([
    ['STATUS_CODE_OK', 'ok'],
    ['STATUS_CODE_ERROR', 'error'],
    ['STATUS_CODE_UNSET', 'unset'],
    [1, 'ok'],
    [9, 'unset'],
  ])('a request in JSON may write the status code as %s', (code, expected) => {
    expect(only({ status: { code } })?.statusCode).toBe(expected);
  });
});

describe('the names of fields in JSON', () => {
  it('a field in JSON under both of its names is refused, and no spans of one of them are lost', () => {
    const both = { resourceSpans: [], resource_spans: [{ scopeSpans: [{ spans: [ID] }] }] };
    expect(() => decodeJsonSpans(Buffer.from(JSON.stringify(both)))).toThrow(
      /the field resourceSpans is there twice, as resource_spans too/,
    );
  });

  it('a request in JSON may have the names of the .proto file, on every level', () => {
    const body = {
      resource_spans: [
        {
          resource: { attributes: [{ key: 'weather.validator.hotkey', value: { string_value: '5V' } }] },
          scope_spans: [
            {
              spans: [
                {
                  trace_id: ID.traceId,
                  span_id: ID.spanId,
                  parent_span_id: 'EEE19B7EC3C1B173',
                  start_time_unix_nano: '1',
                  end_time_unix_nano: '2',
                  attributes: [
                    { key: 'a_b', value: { int_value: '12' } },
                    { key: 'l', value: { array_value: { values: [{ bool_value: true }] } } },
                    {
                      key: 'm',
                      value: { kvlist_value: { values: [{ key: 'x_y', value: { double_value: 1.5 } }] } },
                    },
                  ],
                  dropped_attributes_count: 1,
                  events: [{ time_unix_nano: '3', name: 'e' }],
                  dropped_events_count: 2,
                },
              ],
            },
          ],
        },
      ],
    };
    const { spans, faults } = decode(body);
    expect(faults.listed).toEqual([]);
    expect(spans).toMatchObject([
      {
        phase: 'ended',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '00f067aa0ba902b7',
        parentSpanId: 'eee19b7ec3c1b173',
        startTimeUnixNano: 1n,
        endTimeUnixNano: 2n,
        attributes: { a_b: 12, l: [true], m: { x_y: 1.5 } },
        events: [{ name: 'e', timeUnixNano: 3n }],
        resource: { 'weather.validator.hotkey': '5V' },
        droppedAttributesCount: 1,
        droppedEventsCount: 2,
      },
    ]);
  });

  it.each([{}, { endTimeUnixNano: 0 }, { endTimeUnixNano: '0' }, { end_time_unix_nano: '0' }])(
    'a span in JSON with the end %j is running',
    (end) => expect(only(end)).toMatchObject({ phase: 'started', endTimeUnixNano: null }),
  );
});

describe('a value in JSON', () => {
  it.each([
    [{ stringValue: '' }, ''],
    [{ boolValue: false }, false],
    [{ intValue: '-12' }, -12],
    [{ intValue: 12 }, 12],
    [{ intValue: '9223372036854775807' }, 9_223_372_036_854_775_807n],
    [{ doubleValue: 0.5 }, 0.5],
    [{ doubleValue: 'NaN' }, NaN],
    [{ doubleValue: '-Infinity' }, -Infinity],
    [{ doubleValue: '-1.5e3' }, -1500],
    [{ doubleValue: null }, NaN],
    [{ bytesValue: 'AQL/' }, 'AQL/'],
    [{ bytesValue: 'AQL_' }, 'AQL/'],
    [{ arrayValue: { values: [{ intValue: 1 }, {}] } }, [1, null]],
    [{ arrayValue: {} }, []],
    [{ kvlistValue: { values: [{ key: 'a', value: { boolValue: true } }] } }, { a: true }],
    [{}, null],
    [undefined, null],
  ])('a value in JSON is read as the specification has it, no. %#', (value, expected) => {
    expect(valueOf(value)).toEqual(expected);
  });
});

describe('a malformed JSON body', () => {
  it.each([
    ['no JSON', 'resourceSpans', /it is no JSON/],
    ['cut off', '{"resourceSpans":[', /it is no JSON/],
    ['another type', '[]', /it is wrong: /],
    ['another type below', '{"resourceSpans":7}', /^The body is malformed: resourceSpans is wrong/],
  ])('a JSON body that is %s is rejected with 400', (_what, text, message) => {
    expect(() => decodeJsonSpans(Buffer.from(text))).toThrow(message);
    expect(() => decodeJsonSpans(Buffer.from(text))).toThrow(expect.objectContaining({ status: 400 }));
  });

  it.each([
    [{ traceId: 'no hex' }, /traceId is wrong: no hexadecimal digits/],
    [{ traceId: 'S/kvNXezTaajzpKdDg5HNg==' }, /traceId is wrong: no hexadecimal digits/],
    [{ startTimeUnixNano: '2026-11-23T18:00:00Z' }, /startTimeUnixNano is wrong: no nanoseconds since 1970/],
    [{ startTimeUnixNano: '99999999999999999999' }, /more nanoseconds than 64 bits hold/],
    [{ startTimeUnixNano: -1 }, /no nanoseconds/],
    [{ status: { code: 'OK' } }, /status\.code is wrong: no status code/],
    [{ droppedEventsCount: 1.5 }, /no count/],
    [{ attributes: [{ value: { intValue: 1 } }] }, /an attribute is no/],
    [{ attributes: [{ key: 'tries', value: { intValue: 'two' } }] }, /the attribute "tries" is none of OTLP/],
    [{ attributes: [{ key: 'tries', value: 2 }] }, /the attribute "tries"/],
    [{ attributes: [{ key: 'tries', value: { doubleValue: '' } }] }, /the attribute "tries"/],
    [{ span_id: ID.spanId }, /the field spanId is there twice, as span_id too/],
    [{ attributes: [{ key: 'raw', value: { bytesValue: '?' } }] }, /the attribute "raw"/],
    [
      { attributes: [{ key: 'big', value: { intValue: '9223372036854775808' } }] },
      /"big" .*intValue of 64 bits/,
    ],
    [{ events: [{ timeUnixNano: 'noon' }] }, /events\[0\]\.timeUnixNano is wrong/],
  ])('a span in JSON with %j is a fault that names it, and its neighbours are read', (span, message) => {
    const [good] = request({}).resourceSpans;
    const [bad] = request(span).resourceSpans;
    const spans = [good, bad, good].flatMap((one) => one?.scopeSpans[0]?.spans ?? []);
    const read = decode({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    expect(read.spans).toHaveLength(2);
    expect(read.faults.spans).toBe(1);
    expect(read.faults.listed[0]).toMatch(
      /^resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[1\] \(span id "00f067aa0ba902b7"\): /,
    );
    expect(read.faults.listed[0]).toMatch(message);
  });

  it('a resource in JSON that cannot be read refuses its own spans, and those of others are read', () => {
    const [group] = request({}).resourceSpans;
    const resource = { attributes: [{ key: 'weather.validator.hotkey', value: 7 }] };
    const read = decode({ resourceSpans: [{ ...group, resource }, group, { scopeSpans: 7 }, 7] });
    expect(read.spans).toHaveLength(1);
    expect(read.faults.spans).toBe(3);
    expect(read.faults.listed).toMatchObject([
      expect.stringMatching(/^resourceSpans\[0\]\.resource: the value of the attribute "weather\.validator/),
      expect.stringMatching(/^resourceSpans\[2\]: scopeSpans is wrong/),
      expect.stringMatching(/^resourceSpans\[3\]: it is wrong/),
    ]);
  });

  it('a JSON body of half a million broken spans keeps the texts of five faults', () => {
    const spans = Array.from({ length: 20_000 }, () => 7);
    const { faults } = decode({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    expect([faults.spans, faults.listed.length]).toEqual([20_000, 5]);
  });

  it('a value in JSON that is nested too deep is a fault, before the stack overflows', () => {
    const nested = (depth: number): string =>
      `${'{"arrayValue":{"values":['.repeat(depth)}{"intValue":1}${']}}'.repeat(depth)}`;
    const body = (depth: number): Buffer =>
      Buffer.from(
        `{"resourceSpans":[{"resource":{"attributes":[{"key":"deep","value":${nested(depth)}}]},"scopeSpans":[]}]}`,
      );
    expect(decodeJsonSpans(body(MAX_DEPTH)).faults.listed).toEqual([]);
    for (const depth of [MAX_DEPTH + 1, 100_000])
      expect(decodeJsonSpans(body(depth)).faults.listed).toEqual([
        'resourceSpans[0].resource: a value is nested deeper than 64 levels',
      ]);
  });
});
