import { label, type Size } from './html.ts';

/** Where a chart has its lines: the rectangle within the axes, and how numbers become places in it. */
export interface Axes {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  /** The grid and what is written at it. */
  readonly drawn: string;
}

/** What the axes are made for. */
export interface AxesOptions {
  readonly size: Size;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** Instants are divided by minutes and days instead of tens. */
  readonly isTime: boolean;
  /** Bytes are divided by powers of two. */
  readonly isBinary?: boolean;
}

const ROUND = [1, 2, 2.5, 5, 10];
const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
  1_209_600,
];
const LETTER = 6.2;
const LINE_HEIGHT = 34;
const TICK_WIDTH = 74;

function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  return (ROUND.find((round) => round * power >= raw) ?? 10) * power;
}

const timeStep = (span: number, count: number): number =>
  1000 * (TIME_STEPS.find((step) => step * 1000 * count >= span) ?? 2_592_000);

function ticks(from: number, to: number, step: number): readonly number[] {
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

function rangeOf(
  values: readonly number[],
  from = Infinity,
  to = -Infinity,
): readonly [low: number, high: number] {
  const low = values.reduce((least, value) => Math.min(least, value), from);
  const high = values.reduce((most, value) => Math.max(most, value), to);
  if (low < high) return [low, high];
  return low === 0 ? [0, 1] : [low - Math.abs(low) / 2, low + Math.abs(low) / 2];
}

/** Makes the axes of a chart that shows all of the values. */
export function makeAxes({
  size,
  xs,
  ys,
  min,
  max,
  formatX,
  formatY,
  isTime,
  isBinary = false,
}: AxesOptions): Axes {
  const [lowX, highX] = rangeOf(xs);
  const [lowest, highest] = rangeOf(ys, min, max);
  const rawY = (highest - lowest) / Math.max(1, size.height / LINE_HEIGHT);
  const stepY = isBinary ? 2 ** Math.ceil(Math.log2(rawY)) : roundStep(rawY);
  const low = min ?? Math.floor(lowest / stepY) * stepY;
  const high = max ?? Math.ceil(highest / stepY - 1e-9) * stepY;
  const ticksY = ticks(low, high, stepY);
  const left = 14 + LETTER * Math.max(...ticksY.map((tick) => formatY(tick).length), 3);
  const [right, top, bottom] = [size.width - 14, 8, size.height - 22];
  const x = (value: number) => left + ((value - lowX) / (highX - lowX)) * (right - left);
  const y = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - top);
  const countX = (right - left) / TICK_WIDTH;
  const stepX = isTime ? timeStep(highX - lowX, countX) : roundStep((highX - lowX) / Math.max(1, countX));
  const drawn = [
    ...ticksY.map(
      (tick) => line([left, y(tick)], [right, y(tick)]) + label(left - 6, y(tick) + 4, formatY(tick), 'end'),
    ),
    ...ticks(lowX, highX, stepX).map(
      (tick) =>
        line([x(tick), top], [x(tick), bottom]) + label(x(tick), bottom + 16, formatX(tick), 'middle'),
    ),
  ].join('');
  return { left, right, top, bottom, x, y, drawn };
}

type Point = readonly [x: number, y: number];

const line = ([x1, y1]: Point, [x2, y2]: Point): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#2a2d33"/>`;

/** An instant at an axis: the time, or the day where the axis spans days. */
export const instantAt =
  (spanMillis: number) =>
  (instant: number): string => {
    const text = new Date(instant).toISOString();
    return spanMillis > 172_800_000 ? text.slice(5, 10) : text.slice(11, spanMillis > 7_200_000 ? 16 : 19);
  };
