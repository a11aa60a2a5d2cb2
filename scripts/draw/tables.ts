import type { PanelJson } from '../dashboards/shapes.ts';
import { lettersOn } from './colours.ts';
import type { Frame } from './frames.ts';
import { escaped, nothing, type Size } from './html.ts';
import { lookOf, show, type Look, type Shown } from './looks.ts';

const ROW_HEIGHT = 30;
/** What a column has at least that says no width. */
const MIN_WIDTH = 150;

function cellStyle({ colour = '' }: Shown, { cell }: Look): string {
  if (cell === 'color-background') return `background:${colour};color:${lettersOn(colour)}`;
  return cell === 'color-text' ? `color:${colour}` : '';
}

/** Columns without a width share what the others leave; where all have one, they share it too. */
function widthsOf(given: readonly (number | undefined)[], whole: number): readonly number[] {
  const open = given.filter((width) => width === undefined).length;
  const taken = given.reduce<number>((sum, width = 0) => sum + width, 0);
  const rest = Math.max(MIN_WIDTH, (whole - taken) / Math.max(1, open));
  const stretch = open > 0 ? 1 : Math.max(1, whole / taken);
  return given.map((width) => Math.floor(width === undefined ? rest : width * stretch));
}

/** A table as high as its panel: what does not fit is reached by scrolling, in Grafana. */
export function drawTable(panel: PanelJson, frames: readonly Frame[], size: Size): string {
  const columns = (frames[0]?.fields ?? [])
    .map((field) => ({ field, look: lookOf(panel, field) }))
    .filter(({ look }) => !look.isHidden);
  const rows = columns[0]?.field.values.length ?? 0;
  if (rows === 0) return nothing(panel.fieldConfig.defaults.noValue);
  const widths = widthsOf(
    columns.map(({ look }) => look.width),
    size.width,
  );
  const shownRows = Math.min(rows, Math.floor(size.height / ROW_HEIGHT));
  const cells = Array.from({ length: shownRows }, (_, row) =>
    columns
      .map(({ field, look }, column) => {
        const shown = show(field.values[row] ?? null, field.type, look);
        const classes = [
          field.type === 'number' ? 'right' : '',
          look.isLink && !look.cell ? 'link' : '',
        ].join(' ');
        return `<span class="cell ${classes}" style="width:${widths[column] ?? 0}px;${cellStyle(shown, look)}">${escaped(shown.text)}</span>`;
      })
      .join(''),
  );
  const heads = columns.map(
    ({ field, look }, column) =>
      `<span class="cell head ${field.type === 'number' ? 'right' : ''}" style="width:${widths[column] ?? 0}px">${escaped(look.title)}</span>`,
  );
  return `<div class="table">${[heads.join(''), ...cells].map((row) => `<div class="row">${row}</div>`).join('')}</div>`;
}

/** The values of one row, large, side by side. */
export function drawStat(panel: PanelJson, frames: readonly Frame[], { width, height }: Size): string {
  const takesAll = (panel.options['reduceOptions'] as { readonly fields?: string }).fields !== '';
  const shown = frames
    .flatMap(({ fields }) => fields)
    .filter(({ type, legend }) => type === 'number' || (takesAll && legend === undefined))
    .filter(({ values }) => values.length > 0)
    .map((field) => {
      const look = lookOf(panel, field);
      const last = field.values.findLast((value) => value !== null) ?? null;
      return { title: look.title, ...show(last, field.type, look) };
    });
  const hasName = String(panel.options['textMode']).includes('name');
  if (shown.length === 0) return nothing(panel.fieldConfig.defaults.noValue);
  const each = width / shown.length;
  const cells = shown.map(({ title, text, colour }) => {
    const letters = Math.max(1, text.length);
    const points = Math.max(9, Math.min(height * 0.42, 44, (each - 12) / (letters * 0.58)));
    const name = shown.length > 1 || hasName ? `<div class="statname">${escaped(title)}</div>` : '';
    return `<div class="stat" style="width:${each}px">${name}<div style="font-size:${points.toFixed(0)}px;color:${colour ?? ''}">${escaped(text)}</div></div>`;
  });
  return `<div class="stats" style="height:${height}px">${cells.join('')}</div>`;
}
