import { describe, expect, it } from 'vitest';
import { plausibleStart } from '#pipeline/steps/inference-start';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 10, 23, 18) + seconds * 1000);
const times = { acceptedAt: at(0), now: at(600) };

describe('plausibleStart', () => {
  it('a start between acceptance and reply is believed, and so is one within a difference of clocks before', () => {
    for (const seconds of [-120, -1, 0, 300, 600]) {
      expect(plausibleStart(at(seconds), times)).toEqual(at(seconds));
    }
  });

  it('a start in the future, long before the acceptance, or that is no instant is ignored', () => {
    for (const start of [at(600.001), at(-120.001), new Date(Number.NaN), null]) {
      expect(plausibleStart(start, times)).toBeNull();
    }
  });

  it('without a known acceptance only the future is ruled out', () => {
    expect(plausibleStart(at(-86_400), { acceptedAt: null, now: at(0) })).toEqual(at(-86_400));
    expect(plausibleStart(at(1), { acceptedAt: null, now: at(0) })).toBeNull();
  });
});
