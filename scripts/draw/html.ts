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

export const label = (x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end' = 'start'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(text)}</text>`;

/** Names and colours below a chart. */
export const legend = (lines: readonly { readonly name: string; readonly colour: string }[]): string =>
  `<div class="legend">${lines
    .map(({ name, colour }) => `<span><i style="background:${colour}"></i>${escaped(name)}</span>`)
    .join('')}</div>`;

export const LEGEND_HEIGHT = 22;

/** What a panel without rows says. */
export const nothing = (words: string): string => `<div class="nothing">${escaped(words)}</div>`;
