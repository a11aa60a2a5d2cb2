import { describe, expect, it } from 'vitest';
import { createArrivals } from '#http/arrivals';

const LIMITS = { maxArrivedBytes: 100_000, slowBodyMillis: 1000 };

/** Room whose clock the test sets, with the names of the bodies that gave way. */
function roomAt(clock: { millis: number }) {
  const gaveWay: string[] = [];
  const arrivals = createArrivals(LIMITS, () => clock.millis);
  return { gaveWay, open: (name: string) => arrivals.open(() => void gaveWay.push(name)) };
}

describe('createArrivals', () => {
  it('the slowest bodies give way first, and no more of them than are in the way', () => {
    const clock = { millis: 0 };
    const { open, gaveWay } = roomAt(clock);
    for (const name of ['first', 'second', 'third']) {
      expect(open(name).take(30_000)).toBe(true);
      clock.millis += 100;
    }
    clock.millis = 5000;
    expect(open('comes').take(30_000)).toBe(true);
    expect(gaveWay).toEqual(['first']);
  });

  it('a body that brings 16 KiB a second keeps its place, and so does one that is whole', () => {
    const clock = { millis: 0 };
    const { open, gaveWay } = roomAt(clock);
    const [steady, whole] = [open('steady'), open('whole')];
    expect(whole.take(10_000)).toBe(true);
    whole.markWhole();
    for (const millis of [900, 1800, 2700, 3600]) {
      clock.millis = millis;
      expect(steady.take(16_384)).toBe(true);
    }
    clock.millis = 4500;
    expect(open('comes').take(30_000)).toBe(false);
    expect(gaveWay).toEqual([]);
    whole.release();
    expect(open('comes').take(30_000)).toBe(true);
  });

  it('a trickle is no progress', () => {
    const clock = { millis: 0 };
    const { open, gaveWay } = roomAt(clock);
    const trickling = open('trickling');
    expect(trickling.take(90_000)).toBe(true);
    for (let millis = 100; millis <= 2000; millis += 100) {
      clock.millis = millis;
      expect(trickling.take(1)).toBe(true);
    }
    expect(open('comes').take(20_000)).toBe(true);
    expect(gaveWay).toEqual(['trickling']);
    trickling.release();
    expect(open('all').take(80_000)).toBe(true);
  });
});
