import { describe, expect, it } from 'vitest';
import { startProfile } from '#steps/profile';

const hold = (millis: number): void => {
  const until = performance.now() + millis;
  while (performance.now() < until);
};

describe('startProfile', () => {
  it('startProfile sees the event loop held at the very end, before any timer could fire', async () => {
    const finish = startProfile();
    await Promise.resolve();
    hold(50);
    const { eventLoopDelayMillis, cpuMillis, peakMemoryBytes } = finish();
    expect(eventLoopDelayMillis).toBeGreaterThanOrEqual(35);
    expect(cpuMillis).toBeGreaterThan(0);
    expect(peakMemoryBytes).toBeGreaterThan(1_000_000);
  });

  it('startProfile sees the longest of several holds', async () => {
    const finish = startProfile();
    hold(80);
    await new Promise((resolve) => setImmediate(resolve));
    hold(5);
    expect(finish().eventLoopDelayMillis).toBeGreaterThanOrEqual(65);
  });

  it('startProfile stops its timer, so that it keeps nothing running', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    startProfile()();
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
  });
});
