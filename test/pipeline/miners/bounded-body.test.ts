import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBounded } from '#pipeline/miners/bounded-body';

describe('reading a body within a bound', () => {
  it('reading a body within a bound gives all of it, or exactly as much as allowed and says so', async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(parts, fc.nat(80), async (given, maxBytes) => {
        const body = async function* (): AsyncGenerator<Uint8Array> {
          yield* given;
        };
        const whole = Buffer.concat(given);
        const read = await readBounded(body(), maxBytes);
        expect(read.complete).toBe(whole.length <= maxBytes);
        expect(Buffer.from(read.bytes).equals(whole.subarray(0, maxBytes))).toBe(true);
      }),
    );
  });

  it('reading a body within a bound leaves an endless body, and lets it clean up', async () => {
    let isClosed = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(10);
      } finally {
        isClosed = true;
      }
    };
    expect(await readBounded(endless(), 25)).toMatchObject({ complete: false, bytes: { length: 25 } });
    expect(isClosed).toBe(true);
  });

  it('reading a body within a bound passes on what the body throws', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new Error('reset');
    };
    await expect(readBounded(broken(), 10)).rejects.toThrow('reset');
  });
});
