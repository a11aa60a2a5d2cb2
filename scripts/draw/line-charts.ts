import { UNITS } from '#dashboards/panels/units';
import type { PanelJson } from '../dashboards/shapes.ts';
import { instantAt, makeAxes, type Axes } from './axes.ts';
import { formatNumber } from './formats.ts';
import type { Field, Frame } from './frames.ts';
import { nothing, svg, withLegend, type Size } from './html.ts';
import { colourOf, lookOf } from './looks.ts';

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

/** What a chart says of its lines. */
interface Style {
  readonly fill: number;
  readonly isStacked: boolean;
  readonly spansNulls: boolean;
  readonly hasPoints: boolean;
}

function styleOf({ fieldConfig }: PanelJson): Style {
  const custom = fieldConfig.defaults.custom ?? {};
  const stacking = custom['stacking'] as { readonly mode?: string } | undefined;
  return {
    fill: Number(custom['fillOpacity'] ?? 0) / 100,
    isStacked: stacking?.mode === 'normal',
    spansNulls: custom['spanNulls'] === true,
    hasPoints: custom['showPoints'] === 'always',
  };
}

function linesOf(
  panel: PanelJson,
  frames: readonly Frame[],
  xOf: (frame: Frame) => Field | undefined,
): readonly Line[] {
  return frames.flatMap((frame) => {
    const x = xOf(frame);
    return frame.fields
      .filter((field) => field !== x && field.type === 'number')
      .map((field) => {
        const look = lookOf(panel, field);
        const points = (x?.values ?? []).map(
          (at, row) => [Number(at), field.values[row] as number | null] as const,
        );
        return { name: look.title, colour: colourOf(look), points };
      })
      .filter(({ points }) => points.some(([, value]) => value !== null));
  });
}

/** Puts each line on top of those before it. */
function stacked(lines: readonly Line[]): readonly Line[] {
  const sums = new Map<number, number>();
  return lines.map((line) => ({
    ...line,
    points: line.points.map(([x, y]) => {
      const sum = (sums.get(x) ?? 0) + (y ?? 0);
      sums.set(x, sum);
      return [x, y === null ? null : sum] as const;
    }),
  }));
}

function pathOf(
  { points }: Line,
  { x, y, bottom }: Axes,
  { spansNulls }: Style,
): { readonly line: string; readonly area: string } {
  const parts: (readonly (readonly [number, number])[])[] = [];
  let part: (readonly [number, number])[] = [];
  const gap = 5 * Math.min(...points.slice(1).map(([at], index) => at - (points[index]?.[0] ?? at)));
  let before: number | null = null;
  for (const [at, value] of points) {
    if (!spansNulls && part.length > 0 && (value === null || (before !== null && at - before > gap))) {
      parts.push(part);
      part = [];
    }
    if (value !== null) part.push([x(at), y(value)]);
    before = at;
  }
  parts.push(part);
  const drawn = parts.filter((one) => one.length > 0);
  const joined = (one: readonly (readonly [number, number])[]) =>
    one.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join('L');
  return {
    line: drawn.map((one) => `M${joined(one)}`).join(''),
    area: drawn
      .map(
        (one) =>
          `M${(one[0]?.[0] ?? 0).toFixed(1)},${bottom}L${joined(one)}L${(one.at(-1)?.[0] ?? 0).toFixed(1)},${bottom}Z`,
      )
      .join(''),
  };
}

/** An area of a stack covers those below it, which are drawn after it. */
const fillOf = ({ colour }: Line, { fill, isStacked }: Style): string =>
  isStacked
    ? `fill:color-mix(in srgb, ${colour} ${fill * 100}%, #181b1f)`
    : `fill:${colour};fill-opacity:${fill}`;

function drawLine(line: Line, axes: Axes, style: Style): string {
  const { line: path, area } = pathOf(line, axes, style);
  const known = line.points.filter((point): point is readonly [number, number] => point[1] !== null);
  const dots = style.hasPoints || known.length === 1 ? known : [];
  return [
    style.fill > 0 ? `<path d="${area}" style="${fillOf(line, style)}"/>` : '',
    `<path d="${path}" fill="none" stroke="${line.colour}" stroke-width="1.5"/>`,
    ...dots.map(
      ([at, value]) =>
        `<circle cx="${axes.x(at).toFixed(1)}" cy="${axes.y(value).toFixed(1)}" r="3" fill="${line.colour}"/>`,
    ),
  ].join('');
}

/** Lines over instants, or over a number that a column gives. */
function drawLines(
  panel: PanelJson,
  lines: readonly Line[],
  {
    size,
    x,
  }: {
    readonly size: Size;
    readonly x: { readonly isTime: boolean; readonly format: (value: number) => string };
  },
): string {
  const { defaults } = panel.fieldConfig;
  if (lines.length === 0) return nothing(defaults.noValue);
  const style = styleOf(panel);
  const shown = style.isStacked ? stacked(lines) : lines;
  const { area, legend } = withLegend(size, lines);
  const points = shown.flatMap((line) => line.points);
  const axes = makeAxes({
    size: area,
    xs: points.map(([at]) => at),
    ys: points.flatMap(([, value]) => (value === null ? [] : [value])),
    ...{ min: defaults.min, max: defaults.max, formatX: x.format, isTime: x.isTime },
    formatY: (value) => formatNumber(value, defaults.unit),
    isBinary: defaults.unit === UNITS.bytes,
  });
  // The lowest last, so that it is not covered.
  const drawn = [...shown].reverse().map((line) => drawLine(line, axes, style));
  return svg(area, axes.drawn + drawn.join('')) + legend;
}

export function drawTimeseries(panel: PanelJson, frames: readonly Frame[], size: Size): string {
  const lines = linesOf(panel, frames, ({ fields }) => fields.find(({ type }) => type === 'time'));
  const instants = lines.flatMap(({ points }) => points.map(([at]) => at));
  const span = Math.max(...instants) - Math.min(...instants);
  return drawLines(panel, lines, { size, x: { isTime: true, format: instantAt(span) } });
}

export function drawTrend(panel: PanelJson, frames: readonly Frame[], size: Size): string {
  const xOf = ({ fields }: Frame) => fields.find(({ name }) => name === panel.options['xField']);
  const [x] = frames.flatMap((frame) => xOf(frame) ?? []);
  const look = x === undefined ? undefined : lookOf(panel, x);
  const format = (value: number) => formatNumber(value, look?.unit ?? 'none', look?.decimals);
  return drawLines(panel, linesOf(panel, frames, xOf), {
    size,
    x: { isTime: look?.unit.startsWith('time:') ?? false, format },
  });
}
