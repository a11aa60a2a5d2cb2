import { describe, expect, it } from 'vitest';
import { startProfile } from '#steps/profile';

const hold = (millis: number): void => {
  const until = performance.now() + millis;
  while (performance.now() < until);
};

describe('startProfile', () => {
  it('startProfile measures a block of the event loop at the very end, before any timer could fire', async () => {
    const finish = startProfile();
    await Promise.resolve();
    hold(50);
    const { eventLoopDelayMillis, cpuMillis, peakMemoryBytes } = finish();
    expect(eventLoopDelayMillis).toBeGreaterThanOrEqual(35);
    expect(cpuMillis).toBeGreaterThan(0);
    expect(peakMemoryBytes).toBeGreaterThan(1_000_000);
  });

  it('startProfile measures the longest of several blocks', async () => {
    const finish = startProfile();
    hold(80);
    await new Promise((resolve) => setImmediate(resolve));
    hold(5);
    expect(finish().eventLoopDelayMillis).toBeGreaterThanOrEqual(65);
  });

  it('startProfile stops its timer with the profile', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    startProfile()();
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
  });
});
