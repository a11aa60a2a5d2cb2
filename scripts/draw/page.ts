import type { DashboardJson, PanelJson } from '../dashboards/shapes.ts';
import type { DashboardChoice } from '../dashboards/interpolate.ts';
import type { Answers } from './answers.ts';
import { drawBarChart, drawHistogram, drawStateTimeline, drawXyChart } from './bar-charts.ts';
import { formatNumber } from './formats.ts';
import type { Frame } from './frames.ts';
import { escaped, type Size } from './html.ts';
import { drawTimeseries, drawTrend } from './line-charts.ts';
import { drawStat, drawTable } from './tables.ts';

/** A page to be photographed. */
export interface Page {
  readonly html: string;
  readonly size: Size;
}

/** Pixels, as Grafana has them: a grid of 24 columns and rows of 30. */
export const PAGE_WIDTH = 1400;
const [COLUMNS, ROW, GAP, MARGIN] = [24, 30, 8, 12];
const [HEAD, TITLE, PADDING] = [86, 30, 8];

type Drawer = (panel: PanelJson, frames: readonly Frame[], size: Size) => string;

/** How each type of panel is drawn. */
export const DRAWERS: Readonly<Record<PanelJson['type'], Drawer>> = {
  stat: drawStat,
  table: drawTable,
  timeseries: drawTimeseries,
  trend: drawTrend,
  barchart: drawBarChart,
  histogram: drawHistogram,
  xychart: drawXyChart,
  'state-timeline': drawStateTimeline,
};

const STYLE = `
body{margin:0;background:#111217;color:#ccccdc;font:12px Inter,Roboto,"DejaVu Sans",sans-serif}
h1{font-size:17px;font-weight:500;margin:12px ${MARGIN}px 2px} p{margin:2px ${MARGIN}px;color:#8e8e99}
section{position:absolute;overflow:hidden;box-sizing:border-box;background:#181b1f;border:1px solid #26282e;border-radius:2px}
section h2{font-size:13px;font-weight:500;margin:0;padding:7px 10px 0;height:23px;white-space:nowrap;overflow:hidden}
.rowtitle{position:absolute;font-size:15px;font-weight:500;line-height:30px} .body{padding:0 ${PADDING}px}
svg text{fill:#9a9aa5;font-size:11px} .legend{overflow:hidden;line-height:18px;font-size:11px}
.legend span{margin-right:12px;white-space:nowrap} .legend i{display:inline-block;width:12px;height:3px;margin-right:5px;vertical-align:middle}
.nothing{color:#8e8e99;text-align:center;padding-top:24px;font-size:13px} .row{display:flex;height:29px;border-bottom:1px solid #26282e}
.cell{flex:none;box-sizing:border-box;padding:0 6px;line-height:29px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;border-right:1px solid #26282e}
.head{color:#6e9fff;font-weight:500} .right{text-align:right} .link{color:#6e9fff}
.stats{display:flex;align-items:center} .stat{text-align:center;overflow:hidden;white-space:nowrap} .statname{color:#ccccdc;font-size:12px}`;

function place({ x, y, w, h }: PanelJson['gridPos']): Size & { readonly left: number; readonly top: number } {
  const column = (PAGE_WIDTH - 2 * MARGIN + GAP) / COLUMNS;
  return {
    left: MARGIN + x * column,
    top: HEAD + y * (ROW + GAP),
    width: w * column - GAP,
    height: h * (ROW + GAP) - GAP,
  };
}

function drawPanel(panel: PanelJson, frames: readonly Frame[]): string {
  const { left, top, width, height } = place(panel.gridPos);
  const size = { width: width - 2 * PADDING - 2, height: height - TITLE - PADDING };
  const style = `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
  const body = DRAWERS[panel.type](panel, frames, size);
  return `<section style="${style}"><h2>${escaped(panel.title)}</h2><div class="body">${body}</div></section>`;
}

/** A page in the manner of Grafana, with the words above it. */
export function makePage(title: string, captions: readonly string[], body: string): string {
  const words = captions.map((caption) => `<p>${escaped(caption)}</p>`).join('');
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><h1>${escaped(title)}</h1>${words}${body}`;
}

const inWords = ({ variables, from, to }: DashboardChoice, { templating }: DashboardJson): string =>
  [
    ...templating.list
      .filter(({ type }) => type === 'query')
      .map(({ name, label }) => `${label}: ${variables[name] ?? ''}`),
    `from ${formatNumber(from.getTime(), 'dateTimeAsIso')} to ${formatNumber(to.getTime(), 'dateTimeAsIso')} UTC`,
  ].join(' · ');

/** Draws a dashboard; what is chosen in it stands above. */
export function drawDashboard(dashboard: DashboardJson, answers: Answers, choice: DashboardChoice): Page {
  const panels = dashboard.panels.map((panel) => {
    if (panel.type !== 'row') return drawPanel(panel, answers[panel.id] ?? []);
    const { left, top } = place(panel.gridPos);
    return `<div class="rowtitle" style="left:${left}px;top:${top}px">▾ ${escaped(panel.title)}</div>`;
  });
  const last = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const caption =
    'Drawn by “npm run draw” from the dashboard’s own panels and queries on a recorded demonstration, not by Grafana.';
  return {
    html: makePage(dashboard.title, [inWords(choice, dashboard), caption], panels.join('')),
    size: { width: PAGE_WIDTH, height: HEAD + last * (ROW + GAP) + GAP },
  };
}
