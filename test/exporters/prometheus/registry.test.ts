import { describe, expect, it } from 'vitest';
import { createRegistry } from '#prometheus/registry';
import { METRICS } from '#semconv/metrics';
import { seriesOf } from './fixtures.ts';

const STEPS = METRICS.steps.name;
const labels = { step: 'poll', substep: 'attempt', outcome: 'succeeded' };
const bodyOf = async (registry: ReturnType<typeof createRegistry>, format: 'classic' | 'openmetrics') =>
  (await registry.render(format)).body;

describe('a registry', () => {
  it('a registry knows nothing of another one', async () => {
    const [first, second] = [createRegistry(), createRegistry()];
    first.counter(METRICS.steps).add(labels);
    second.counter(METRICS.steps);
    expect(seriesOf(await bodyOf(first, 'classic'), STEPS)).toHaveLength(1);
    expect(seriesOf(await bodyOf(second, 'classic'), STEPS)).toEqual([]);
  });

  it('a registry keeps the classic name of a counter after it was rendered as OpenMetrics', async () => {
    const registry = createRegistry();
    registry.counter(METRICS.steps).add(labels);
    const before = await bodyOf(registry, 'classic');
    const openmetrics = await bodyOf(registry, 'openmetrics');
    expect(await bodyOf(registry, 'classic')).toBe(before);
    expect(before).toContain(`# TYPE ${STEPS} counter`);
    expect(openmetrics).toContain('# TYPE barograph_steps counter');
    expect(openmetrics).toContain(`${STEPS}{step="poll",substep="attempt",outcome="succeeded"} 1`);
  });

  it('a registry serves both formats at once without mixing them', async () => {
    const registry = createRegistry();
    registry.derived(METRICS.minerSuccessfulForecasts, () => [{ labels: { miner_hotkey: '5A' }, value: 4 }]);
    const texts = await Promise.all([
      bodyOf(registry, 'classic'),
      bodyOf(registry, 'openmetrics'),
      bodyOf(registry, 'classic'),
    ]);
    expect(texts[0]).toBe(texts[2]);
    for (const text of texts)
      expect(text).toContain('barograph_miner_successful_forecasts_total{miner_hotkey="5A"} 4');
  });

  it('a registry names the same series in both formats, bounds of buckets included', async () => {
    const registry = createRegistry();
    registry.histogram(METRICS.stepDuration).observe(3, labels, { trace_id: 'ab' });
    const series = (body: string) =>
      seriesOf(body, METRICS.stepDuration.name).map((line) => line.replace(/ # .*/, ''));
    const classic = series(await bodyOf(registry, 'classic'));
    expect(classic).toEqual(series(await bodyOf(registry, 'openmetrics')));
    expect(classic.some((line) => line.includes('le="5.0"'))).toBe(true);
  });

  it('a registry tells its content types and ends OpenMetrics with its mark', async () => {
    const registry = createRegistry();
    const [classic, openmetrics] = await Promise.all([
      registry.render('classic'),
      registry.render('openmetrics'),
    ]);
    expect(classic.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(openmetrics.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(openmetrics.body.endsWith('# EOF\n')).toBe(true);
  });

  it('a registry adds derived counters with equal labels, and lets the last gauge win', async () => {
    const registry = createRegistry();
    const samples = [1, 2].map((value) => ({ labels: {}, value }));
    registry.derived(METRICS.recorderDropped, () => samples);
    registry.derived(METRICS.recorderQueueLength, () => samples);
    const body = await bodyOf(registry, 'classic');
    expect(seriesOf(body, METRICS.recorderDropped.name)).toEqual([`${METRICS.recorderDropped.name} 3`]);
    expect(seriesOf(body, METRICS.recorderQueueLength.name)).toEqual([
      `${METRICS.recorderQueueLength.name} 2`,
    ]);
  });

  it('a registry fails a rendering when a reading fails, and works again when the reading does', async () => {
    const registry = createRegistry();
    let isBroken = true;
    registry.derived(METRICS.recorderQueueLength, () => {
      if (isBroken) throw new Error('broken');
      return [{ labels: {}, value: 1 }];
    });
    await expect(registry.render('classic')).rejects.toThrow('broken');
    isBroken = false;
    expect(await bodyOf(registry, 'classic')).toContain(`${METRICS.recorderQueueLength.name} 1`);
  });

  it('a registry escapes what would break a line', async () => {
    const registry = createRegistry();
    registry.derived(METRICS.minerRank, () => [{ labels: { miner_hotkey: 'a"b\\c\nd' }, value: 1 }]);
    expect(await bodyOf(registry, 'classic')).toContain('{miner_hotkey="a\\"b\\\\c\\nd"} 1');
  });
});
