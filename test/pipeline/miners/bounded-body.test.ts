import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBounded } from '#pipeline/miners/bounded-body';

describe('readBounded', () => {
  it('a body is returned whole, or cut at the limit and marked incomplete', async () => {
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

  it('reading stops at the limit of an endless body, whose iterator is closed', async () => {
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

  it('an error of the body is rethrown', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new Error('reset');
    };
    await expect(readBounded(broken(), 10)).rejects.toThrow('reset');
  });
});
