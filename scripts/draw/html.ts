/** Width and height, pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export const svg = ({ width, height }: Size, content: string): string =>
  `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${content}</svg>`;

export const rect = (x: number, y: number, { width, height }: Size, colour: string): string =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(0, width).toFixed(1)}" height="${Math.max(0, height).toFixed(1)}" fill="${colour}"/>`;

export const label = (
  x: number,
  y: number,
  text: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(text)}</text>`;

/** A line of a legend. */
export interface Named {
  readonly name: string;
  readonly colour: string;
}

const LEGEND_ROW = 18;
const [LETTER_WIDTH, MARK_WIDTH] = [6.2, 30];

/** Names and colours below a chart, and what height is left for it; a long legend takes a third, as in Grafana. */
export function withLegend(
  { width, height }: Size,
  lines: readonly Named[],
): { readonly area: Size; readonly legend: string } {
  const needed = lines.reduce((sum, { name }) => sum + MARK_WIDTH + LETTER_WIDTH * name.length, 0);
  const rows = Math.min(Math.ceil((needed * 1.1) / width), Math.floor(height / 3 / LEGEND_ROW));
  const legendHeight = rows * LEGEND_ROW + 4;
  const names = lines.map(
    ({ name, colour }) => `<span><i style="background:${colour}"></i>${escaped(name)}</span>`,
  );
  return {
    area: { width, height: height - legendHeight },
    legend: `<div class="legend" style="height:${legendHeight}px">${names.join(' ')}</div>`,
  };
}

/** What a panel without rows says. */
export const nothing = (words: string): string => `<div class="nothing">${escaped(words)}</div>`;
