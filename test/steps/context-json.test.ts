import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_CONTEXT_BYTES, toContextJson } from '#steps/context-json';

const roundTrip = (context: Readonly<Record<string, unknown>>): unknown =>
  JSON.parse(toContextJson(context)) as unknown;

describe('toContextJson', () => {
  it('toContextJson keeps plain values, and what JSON cannot hold as text', () => {
    const when = new Date('2026-11-23T18:10:00Z');
    expect(
      roundTrip({
        text: 'GFS',
        count: 3,
        none: null,
        yes: true,
        notANumber: Number.NaN,
        endless: -Infinity,
        big: 12345678901234567890n,
        when,
        never: new Date('never'),
        missing: undefined,
        fn: () => 1,
        symbol: Symbol('s'),
        error: new TypeError('oops'),
      }),
    ).toEqual({
      text: 'GFS',
      count: 3,
      none: null,
      yes: true,
      notANumber: 'NaN',
      endless: '-Infinity',
      big: '12345678901234567890',
      when: '2026-11-23T18:10:00.000Z',
      never: null,
      error: { type: 'TypeError', message: 'oops' },
    });
  });

  it('toContextJson turns collections into JSON and bytes into their count', () => {
    expect(
      roundTrip({
        map: new Map<unknown, unknown>([
          ['a', 1],
          [2, new Set(['x'])],
        ]),
        bytes: Buffer.alloc(1024),
        buffer: new ArrayBuffer(8),
        floats: Float32Array.from([1.5, Number.NaN]),
        bigInts: BigInt64Array.from([5n]),
        url: new URL('https://203.0.113.9/a/b'),
      }),
    ).toEqual({
      map: { a: 1, '2': ['x'] },
      bytes: '[1024 bytes]',
      buffer: '[8 bytes]',
      floats: [1.5, 'NaN'],
      bigInts: ['5'],
      url: 'https://[host]/b',
    });
  });

  it('toContextJson marks cycles, depth and unreadable values; the same object twice is not a cycle', () => {
    const shared = { a: 1 };
    const cyclic: Record<string, unknown> = { shared, again: shared };
    cyclic['self'] = cyclic;
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 20; depth += 1) deep = { deep };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile = {
      proxy,
      get bad(): never {
        throw new Error('bad');
      },
      toText: {
        toJSON: () => {
          throw new Error('bad');
        },
      },
    };
    expect(roundTrip(cyclic)).toEqual({ shared: { a: 1 }, again: { a: 1 }, self: '[circular]' });
    expect(toContextJson({ deep })).toContain('[deep]');
    expect(roundTrip(hostile)).toEqual({
      proxy: '[unreadable]',
      bad: '[unreadable]',
      toText: '[unreadable]',
    });
  });

  it('toContextJson scrubs texts and hides values by the names of their keys', () => {
    expect(
      roundTrip({ url: 'https://203.0.113.9:8091/x', accessToken: 'abc', list: ['Bearer abc.def'] }),
    ).toEqual({
      url: 'https://[host]/x',
      accessToken: '[secret]',
      list: ['Bearer [token]'],
    });
  });

  it('toContextJson cuts long lists and texts and appends how much is left out', () => {
    const value = roundTrip({ list: new Array(1000).fill(0), text: 'x'.repeat(5000) }) as {
      list: unknown[];
      text: string;
    };
    expect(value.list).toHaveLength(101);
    expect(value.list.at(-1)).toBe('[900 more]');
    expect(value.text.endsWith('… [904 more]')).toBe(true);
  });

  it('toContextJson omits the keys that do not fit into 16 KiB and counts them', () => {
    const context = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`key${at}`, 'ü'.repeat(2000)]));
    const text = toContextJson({ ...context, last: 'small' });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_CONTEXT_BYTES);
    expect(JSON.parse(text)).toMatchObject({ key0: 'ü'.repeat(2000), last: 'small', truncated_keys: 6 });
  });

  it('toContextJson stays quick and small on a huge object', () => {
    const huge = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, at) => [`k${at}`, { at, list: [1, 2, 3] }]),
    );
    const started = performance.now();
    const text = toContextJson({ huge, small: 1 });
    expect(performance.now() - started).toBeLessThan(1000);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_CONTEXT_BYTES);
  });

  it('toContextJson gives valid JSON within the bound for anything', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything({ withDate: true, withBigInt: true, withMap: true })),
        (context) => {
          const text = toContextJson(context);
          expect(typeof JSON.parse(text)).toBe('object');
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_CONTEXT_BYTES);
        },
      ),
    );
  });
});
