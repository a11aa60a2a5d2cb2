import type { PanelJson } from '../dashboards/shapes.ts';
import { instantAt, makeAxes } from './axes.ts';
import { formatNumber } from './formats.ts';
import type { Field, Frame } from './frames.ts';
import { escaped, label, nothing, rect, svg, withLegend, type Size } from './html.ts';
import { colourOf, lookOf, show } from './looks.ts';

const named = ([frame]: readonly Frame[], name: unknown): Field | undefined =>
  frame?.fields.find((field) => field.name === name);

/** The columns of numbers that are drawn, with how they are shown. */
const numbersOf = (panel: PanelJson, frames: readonly Frame[]) =>
  frames.flatMap(({ fields }) =>
    fields.filter(({ type }) => type === 'number').map((field) => ({ field, look: lookOf(panel, field) })),
  );

export function drawBarChart(panel: PanelJson, frames: readonly Frame[], size: Size): string {
  const names = named(frames, panel.options['xField']);
  const by = named(frames, panel.options['colorByField']);
  const [bars] = numbersOf(panel, frames);
  if (!names || !bars || names.values.length === 0) return nothing(panel.fieldConfig.defaults.noValue);
  const left = 12 + 6.6 * Math.max(...names.values.map((name) => String(name).length));
  const top = Math.max(...bars.field.values.map(Number), 1e-9);
  const row = size.height / names.values.length;
  const drawn = names.values.map((name, index) => {
    const value = bars.field.values[index] ?? null;
    const colour = by ? show(by.values[index] ?? null, by.type, lookOf(panel, by)).colour : undefined;
    const width = (Number(value) / top) * (size.width - left - 90);
    const bar = { width, height: row * 0.7 };
    return (
      label(left - 6, row * (index + 0.5) + 4, String(name), 'end') +
      rect(left, row * (index + 0.15), bar, colour ?? colourOf(bars.look)) +
      label(left + width + 6, row * (index + 0.5) + 4, show(value, 'number', bars.look).text)
    );
  });
  return svg(size, drawn.join(''));
}

export function drawHistogram(panel: PanelJson, frames: readonly Frame[], size: Size): string {
  const width = Number(panel.options['bucketSize']);
  const groups = numbersOf(panel, frames).map(({ field, look }) => {
    const counts = new Map<number, number>();
    for (const value of field.values)
      if (value !== null)
        counts.set(
          Math.floor(Number(value) / width),
          (counts.get(Math.floor(Number(value) / width)) ?? 0) + 1,
        );
    return { name: look.title, colour: colourOf(look), counts };
  });
  const buckets = groups.flatMap(({ counts }) => [...counts.keys()]);
  if (buckets.length === 0) return nothing(panel.fieldConfig.defaults.noValue);
  const { area, legend } = withLegend(size, groups);
  const axes = makeAxes({
    size: area,
    xs: [Math.min(...buckets) * width, (Math.max(...buckets) + 1) * width],
    ys: groups.flatMap(({ counts }) => [...counts.values()]),
    ...{ min: 0, isTime: false, formatX: (x: number) => formatNumber(x, 'none'), formatY: String },
  });
  const drawn = groups.flatMap(({ counts, colour }) =>
    [...counts].map(([bucket, count]) => {
      const at = axes.x(bucket * width);
      const bar = { width: axes.x((bucket + 1) * width) - at - 1, height: axes.bottom - axes.y(count) };
      return `<g opacity="0.6">${rect(at, axes.y(count), bar, colour)}</g>`;
    }),
  );
  return svg(area, axes.drawn + drawn.join('')) + legend;
}

interface XyOptions {
  readonly series: readonly Readonly<Record<'x' | 'y', { readonly matcher: { readonly options: string } }>>[];
}

export function drawXyChart(panel: PanelJson, frames: readonly Frame[], size: Size): string {
  const [series] = (panel.options as unknown as XyOptions).series;
  const [x, y] = [named(frames, series?.x.matcher.options), named(frames, series?.y.matcher.options)];
  if (!x || !y || x.values.length === 0) return nothing(panel.fieldConfig.defaults.noValue);
  const [across, up] = [lookOf(panel, x), lookOf(panel, y)];
  const axes = makeAxes({
    size: { width: size.width - 16, height: size.height - 16 },
    ...{ xs: x.values.map(Number), ys: y.values.map(Number), isTime: false },
    formatX: (value) => formatNumber(value, across.unit),
    formatY: (value) => formatNumber(value, up.unit),
  });
  const dots = x.values.map(
    (value, row) =>
      `<circle cx="${axes.x(Number(value)).toFixed(1)}" cy="${axes.y(Number(y.values[row])).toFixed(1)}" r="4" fill="${colourOf(up)}" fill-opacity="0.6"/>`,
  );
  const titles =
    label((axes.left + axes.right) / 2, size.height - 4, across.title, 'middle') +
    `<text transform="translate(${size.width - 6} ${size.height / 2}) rotate(-90)" text-anchor="middle">${escaped(up.title)}</text>`;
  return svg(size, axes.drawn + dots.join('') + titles);
}

export function drawStateTimeline(panel: PanelJson, frames: readonly Frame[], size: Size): string {
  const lanes = frames.slice(0, Number(panel.options['perPage'] ?? frames.length)).flatMap(({ fields }) => {
    const time = fields.find(({ type }) => type === 'time');
    return fields
      .filter((field) => field !== time)
      .map((field) => ({ time, field, look: lookOf(panel, field) }));
  });
  const instants = frames.flatMap(({ fields }) =>
    fields.filter(({ type }) => type === 'time').flatMap(({ values }) => values.map(Number)),
  );
  if (lanes.length === 0) return nothing(panel.fieldConfig.defaults.noValue);
  const left = 12 + 6.4 * Math.max(...lanes.map(({ look }) => look.title.length));
  const [from, to] = [Math.min(...instants), Math.max(...instants)];
  const seen = new Map<string, string>();
  for (const { field, look } of lanes)
    for (const state of field.values) {
      const { text, colour = '#8e8e8e' } = show(state, field.type, look);
      if (state !== null) seen.set(text, colour);
    }
  const { area, legend } = withLegend(
    size,
    [...seen].map(([name, colour]) => ({ name, colour })),
  );
  const bottom = area.height - 20;
  const x = (at: number) => left + ((at - from) / Math.max(1, to - from)) * (size.width - left - 12);
  const row = bottom / lanes.length;
  const drawn = lanes.flatMap(({ time, field, look }, index) => {
    const states = field.values.flatMap((state, at) => {
      if (state === null) return [];
      const { colour = '#8e8e8e' } = show(state, field.type, look);
      const [begin, end] = [x(Number(time?.values[at])), x(Number(time?.values[at + 1] ?? to))];
      return [
        rect(begin, row * (index + 0.1), { width: Math.max(1.5, end - begin), height: row * 0.8 }, colour),
      ];
    });
    return [label(left - 6, row * (index + 0.5) + 4, look.title, 'end'), ...states];
  });
  const ticks = [0, 0.25, 0.5, 0.75].map((part) => {
    const at = from + part * (to - from);
    return label(x(at), bottom + 16, instantAt(to - from)(at));
  });
  return svg(area, drawn.join('') + ticks.join('')) + legend;
}
