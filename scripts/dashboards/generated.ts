import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARD_FILES } from '#dashboards/index';
import {
  dashboardShape,
  type DashboardJson,
  type PanelJson,
  type PromTargetJson,
  type SqlTargetJson,
} from './shapes.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The text of each generated dashboard, as it is checked in. */
export const GENERATED_TEXTS: readonly (readonly [path: string, text: string])[] = DASHBOARD_FILES.map(
  ({ path }) => [path, readFileSync(join(ROOT, path), 'utf8')],
);

/** The generated dashboards, as Grafana reads them. */
export const GENERATED: readonly DashboardJson[] = GENERATED_TEXTS.map(([, text]) =>
  dashboardShape.parse(JSON.parse(text)),
);

export const panelsOf = ({ panels }: DashboardJson): readonly PanelJson[] =>
  panels.filter((panel): panel is PanelJson => panel.type !== 'row');

export const variablesOf = ({ templating }: DashboardJson): readonly string[] =>
  templating.list.map(({ name }) => name);

export interface PanelTarget<Target> {
  readonly dashboard: DashboardJson;
  readonly panel: PanelJson;
  readonly target: Target;
  /** Name of the panel in test titles. */
  readonly name: string;
}

const targets = GENERATED.flatMap((dashboard) =>
  panelsOf(dashboard).flatMap((panel) =>
    panel.targets.map((target) => ({
      dashboard,
      panel,
      target,
      name: `${dashboard.uid} ${panel.id} ${panel.title}`,
    })),
  ),
);

export const SQL_TARGETS: readonly PanelTarget<SqlTargetJson>[] = targets.flatMap(({ target, ...rest }) =>
  'rawSql' in target ? [{ ...rest, target }] : [],
);
export const PROM_TARGETS: readonly PanelTarget<PromTargetJson>[] = targets.flatMap(({ target, ...rest }) =>
  'expr' in target ? [{ ...rest, target }] : [],
);

/** The links of a panel: those of its columns and lines. */
export function linksOf({ fieldConfig }: PanelJson): readonly string[] {
  return fieldConfig.overrides
    .flatMap(({ properties }) => properties)
    .flatMap((property) => (property.id === 'links' ? property.value.map(({ url }) => url) : []));
}

/** The mappings of each column that is coloured by its value, and of all numbers of a stat panel. */
export function colouredValues({ type, fieldConfig }: PanelJson): readonly (readonly unknown[])[] {
  if (type === 'stat') return [fieldConfig.defaults.mappings ?? []];
  return fieldConfig.overrides
    .filter(({ properties }) => properties.some(({ id }) => id === 'custom.cellOptions'))
    .map(({ properties }) =>
      properties.flatMap((property) => (property.id === 'mappings' ? property.value : [])),
    );
}

/** Grafana's default width of a column, pixels. */
const USUAL_WIDTH = 150;

/** The pixels that the columns of a table need at least. */
export const widthOf = ({ fieldConfig }: PanelJson): number =>
  fieldConfig.overrides
    .filter(({ matcher }) => matcher.id === 'byName')
    .filter(({ properties }) => !properties.some(({ id }) => id === 'custom.hideFrom.viz'))
    .map(({ properties }) =>
      properties.reduce(
        (width, property) => (property.id === 'custom.width' ? property.value : width),
        USUAL_WIDTH,
      ),
    )
    .reduce((sum, width) => sum + width, 0);

/** The columns or lines that a panel overrides by name, in its order. */
export const fieldsOverridden = ({ fieldConfig }: PanelJson): readonly string[] =>
  fieldConfig.overrides
    .filter(({ matcher }) => matcher.id === 'byName')
    .map(({ matcher }) => matcher.options);

/** The columns or lines that a panel references: by overrides, and by the variables of its links. */
export function fieldsNamedBy(panel: PanelJson): readonly string[] {
  const linked = linksOf(panel).flatMap((url) =>
    [...url.matchAll(/\$\{__data\.fields\.(\w+)[:}]/g)].map(([, name]) => name ?? ''),
  );
  return [...new Set([...fieldsOverridden(panel), ...linked])];
}
