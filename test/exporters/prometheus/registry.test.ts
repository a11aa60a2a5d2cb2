import { describe, expect, it } from 'vitest';
import { createRegistry } from '#prometheus/registry';
import { METRICS } from '#semconv/metrics';
import { seriesOf } from './fixtures.ts';

const STEPS = METRICS.steps.name;
const labels = { step: 'poll', substep: 'attempt', outcome: 'succeeded' };
const bodyOf = async (registry: ReturnType<typeof createRegistry>, format: 'classic' | 'openmetrics') =>
  (await registry.render(format)).body;

describe('Metric registry', () => {
  it('two registries share no state', async () => {
    const [first, second] = [createRegistry(), createRegistry()];
    first.counter(METRICS.steps).add(labels);
    second.counter(METRICS.steps);
    expect(seriesOf(await bodyOf(first, 'classic'), STEPS)).toHaveLength(1);
    expect(seriesOf(await bodyOf(second, 'classic'), STEPS)).toEqual([]);
  });

  it('rendering as OpenMetrics does not change the classic name of a counter', async () => {
    const registry = createRegistry();
    registry.counter(METRICS.steps).add(labels);
    const before = await bodyOf(registry, 'classic');
    const openmetrics = await bodyOf(registry, 'openmetrics');
    expect(await bodyOf(registry, 'classic')).toBe(before);
    expect(before).toContain(`# TYPE ${STEPS} counter`);
    expect(openmetrics).toContain('# TYPE barograph_steps counter');
    expect(openmetrics).toContain(`${STEPS}{step="poll",substep="attempt",outcome="succeeded"} 1`);
  });

  it('both formats are rendered concurrently without being mixed', async () => {
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

  it('both formats name the same series, bucket bounds included', async () => {
    const registry = createRegistry();
    registry.histogram(METRICS.stepDuration).observe(3, labels, { trace_id: 'ab' });
    const series = (body: string) =>
      seriesOf(body, METRICS.stepDuration.name).map((line) => line.replace(/ # .*/, ''));
    const classic = series(await bodyOf(registry, 'classic'));
    expect(classic).toEqual(series(await bodyOf(registry, 'openmetrics')));
    expect(classic.some((line) => line.includes('le="5.0"'))).toBe(true);
  });

  it('each format has its content type, and OpenMetrics ends with its EOF mark', async () => {
    const registry = createRegistry();
    const [classic, openmetrics] = await Promise.all([
      registry.render('classic'),
      registry.render('openmetrics'),
    ]);
    expect(classic.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(openmetrics.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(openmetrics.body.endsWith('# EOF\n')).toBe(true);
  });

  it('derived counters with equal labels are summed, and the last gauge wins', async () => {
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

  it('a failing read fails the rendering, and the next good read restores it', async () => {
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

  it('characters that would break a line are escaped', async () => {
    const registry = createRegistry();
    registry.derived(METRICS.minerRank, () => [{ labels: { miner_hotkey: 'a"b\\c\nd' }, value: 1 }]);
    expect(await bodyOf(registry, 'classic')).toContain('{miner_hotkey="a\\"b\\\\c\\nd"} 1');
  });
});
