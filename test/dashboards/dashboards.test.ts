import { describe, expect, it } from 'vitest';
import { DATASOURCES } from '#dashboards/panels/datasources';
import { DASHBOARD_UIDS } from '#dashboards/panels/links';
import { MISSING_VALUE } from '#dashboards/panels/panel-options';
import { DASHBOARD_FILES } from '#dashboards/index';
import { staleFiles } from '#scripts/generate';
import { join } from 'node:path';
import {
  colouredValues,
  GENERATED,
  GENERATED_TEXTS,
  linksOf,
  panelsOf,
  variablesOf,
  widthOf,
} from '#scripts/dashboards/generated';
import { dashboardShape } from '#scripts/dashboards/shapes';

const ROOT = join(import.meta.dirname, '..', '..');
const repeated = <T>(values: readonly T[]): readonly T[] =>
  values.filter((value, index) => values.indexOf(value) !== index);
const byUid = new Map(GENERATED.map((dashboard) => [dashboard.uid, dashboard]));

describe('Generated dashboards', () => {
  it('the checked-in dashboards are what the code builds; after a change: npm run generate', async () => {
    expect(await staleFiles(ROOT, DASHBOARD_FILES)).toEqual([]);
    expect(await staleFiles(import.meta.dirname, DASHBOARD_FILES)).toHaveLength(DASHBOARD_FILES.length);
  });

  it('two builds give the same dashboards, so nothing in them depends on time or chance', () => {
    for (const { render } of DASHBOARD_FILES) expect(render()).toBe(render());
    for (const [, text] of GENERATED_TEXTS) expect(text).not.toMatch(/\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b/);
  });

  it.each(GENERATED_TEXTS)('%s has the shape of the types of the SDK, and no other key', (_, text) => {
    expect(dashboardShape.safeParse(JSON.parse(text)).error?.issues ?? []).toEqual([]);
  });

  it('every uid that alerts and Jaeger link to belongs to exactly one dashboard', () => {
    expect(GENERATED.map(({ uid }) => uid).sort()).toEqual(Object.values(DASHBOARD_UIDS).sort());
    expect(repeated(GENERATED.map(({ title }) => title))).toEqual([]);
  });
});

describe.each(GENERATED)('$uid', (dashboard) => {
  const panels = panelsOf(dashboard);

  it('ids and titles of panels and rows are unique in the dashboard', () => {
    expect(panels.length).toBeGreaterThan(8);
    expect(repeated(dashboard.panels.map(({ id }) => id))).toEqual([]);
    expect(repeated(panels.map(({ title }) => title))).toEqual([]);
  });

  it('every panel has a description, a unit and a text for no value', () => {
    for (const { title, description, fieldConfig } of panels) {
      expect(description.length, title).toBeGreaterThan(60);
      expect(fieldConfig.defaults.unit, title).not.toBe('');
      expect(fieldConfig.defaults.noValue, title).not.toBe('');
    }
  });

  it('an empty cell or number shows a dash, not the sentence of the panel', () => {
    for (const { title, fieldConfig } of panels) {
      const ofAll = fieldConfig.overrides.filter(({ matcher }) => matcher.id === 'byRegexp');
      expect(ofAll, title).toEqual([
        {
          matcher: { id: 'byRegexp', options: '/.*/' },
          properties: [{ id: 'noValue', value: MISSING_VALUE }],
        },
      ]);
      expect(fieldConfig.overrides[0], title).toEqual(ofAll[0]);
      expect(fieldConfig.defaults.noValue.length, title).toBeGreaterThan(MISSING_VALUE.length);
    }
  });

  it('a missing value is never coloured as good or bad', () => {
    for (const panel of panels.filter(({ type }) => type === 'table' || type === 'stat'))
      for (const mappings of colouredValues(panel))
        expect(mappings.at(-1), panel.title).toMatchObject({ type: 'special', options: { match: 'null' } });
  });

  it('leads are shown in hours, which no unit turns into days or weeks', () => {
    for (const { title, fieldConfig } of panels)
      for (const { matcher, properties } of fieldConfig.overrides)
        if (matcher.options === 'lead_hours')
          expect(properties, title).toEqual(
            expect.arrayContaining([
              { id: 'unit', value: 'suffix:h' },
              { id: 'decimals', value: 0 },
            ]),
          );
  });

  it('every column of a table fits on a screen of 1920 pixels', () => {
    for (const panel of panels.filter(({ type }) => type === 'table'))
      expect(widthOf(panel), panel.title).toBeLessThanOrEqual((panel.gridPos.w / 24) * 1878);
  });

  it('a stat of several queries shows the name of each number, even when only one has a value', () => {
    for (const { title, targets, options } of panels.filter(({ type }) => type === 'stat'))
      if (targets.length > 1) expect(options['textMode'], title).toBe('value_and_name');
  });

  it('no line that can be 0 is drawn on a logarithmic scale', () => {
    for (const { title, fieldConfig } of panels.filter(({ type }) => type === 'timeseries')) {
      const scale = (fieldConfig.defaults.custom?.['scaleDistribution'] ?? {}) as { readonly type?: string };
      if (scale.type === 'log') expect(fieldConfig.defaults.min, title).toBeUndefined();
    }
  });

  it('trends have no limits, which would apply to the x axis, too', () => {
    for (const { title, fieldConfig } of panels.filter(({ type }) => type === 'trend'))
      expect([fieldConfig.defaults.min, fieldConfig.defaults.max], title).toEqual([undefined, undefined]);
  });

  it('each query reads from the provisioned datasource of its panel', () => {
    const known: readonly string[] = Object.values(DATASOURCES).map(({ uid }) => uid);
    for (const panel of panels) {
      expect(known).toContain(panel.datasource.uid);
      for (const target of panel.targets) expect(target.datasource).toEqual(panel.datasource);
    }
  });

  it('no panel overlaps another or leaves the grid', () => {
    const boxes = dashboard.panels.map(({ id, gridPos }) => ({ id, ...gridPos }));
    expect(boxes.filter(({ x, w }) => x + w > 24)).toEqual([]);
    const overlaps = boxes.flatMap((one, index) =>
      boxes
        .slice(index + 1)
        .filter(
          (other) =>
            one.x < other.x + other.w &&
            other.x < one.x + one.w &&
            one.y < other.y + other.h &&
            other.y < one.y + one.h,
        )
        .map((other) => [one.id, other.id]),
    );
    expect(overlaps).toEqual([]);
  });

  it('queries use only variables of the dashboard', () => {
    const queries = panels.flatMap(({ targets }) =>
      targets.map((target) => ('rawSql' in target ? target.rawSql : target.expr)),
    );
    const texts = [
      ...queries,
      ...panels.flatMap(linksOf),
      ...dashboard.templating.list.map(({ query }) => query),
    ];
    const used = texts.flatMap((text) =>
      [...text.matchAll(/\$\{(\w+)(?::\w+)?\}/g)].map(([, name]) => name ?? ''),
    );
    expect(used.length).toBeGreaterThan(0);
    expect([...new Set(used)].filter((name) => !variablesOf(dashboard).includes(name))).toEqual([]);
  });

  it('each variable depends only on those before it', () => {
    dashboard.templating.list.forEach(({ query }, index) => {
      const before = variablesOf(dashboard).slice(0, index);
      for (const [, name] of query.matchAll(/\$\{(\w+)/g)) expect(before).toContain(name);
    });
  });

  it('links lead to existing dashboards, with variables that these have', () => {
    const links = panels.flatMap(linksOf).filter((url) => !url.startsWith('${jaeger}'));
    for (const url of links) {
      const [, uid = '', query = ''] = /^\/d\/([a-z-]+)\?(.*)$/.exec(url) ?? [];
      const target = byUid.get(uid);
      expect(target, url).toBeDefined();
      const given = [...query.matchAll(/(?:^|&)(?:var-(\w+)=|\$\{(\w+):queryparam\})/g)];
      expect(given.length, url).toBeGreaterThan(0);
      for (const [, direct, kept] of given)
        expect(target && variablesOf(target), url).toContain(direct ?? kept);
    }
  });

  it('trace links have the form that Jaeger reads', () => {
    const links = panels.flatMap(linksOf).filter((url) => url.startsWith('${jaeger}'));
    const form =
      /^\$\{jaeger\}\/trace\/\$\{__data\.fields\.trace_id:percentencode\}(\?uiFind=\$\{__data\.fields\.span_id:percentencode\})?$/;
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((url) => !form.test(url))).toEqual([]);
  });

  it('the top links to every other dashboard keep the chosen values, and the time range between dashboards of hours', () => {
    const others = GENERATED.filter(({ uid }) => uid !== dashboard.uid);
    expect(dashboard.links.map(({ url }) => url)).toEqual(others.map(({ uid }) => `/d/${uid}`));
    const isOfHours = ({ time }: typeof dashboard) => time.from.endsWith('h');
    expect(dashboard.links.map(({ keepTime }) => keepTime)).toEqual(
      others.map((other) => isOfHours(dashboard) && isOfHours(other)),
    );
  });
});
