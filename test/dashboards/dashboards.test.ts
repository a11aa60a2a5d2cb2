import { describe, expect, it } from 'vitest';
import { DATASOURCES } from '#dashboards/panels/datasources';
import { DASHBOARD_UIDS } from '#dashboards/panels/links';
import { MISSING_VALUE } from '#dashboards/panels/panel-words';
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

describe('the generated dashboards', () => {
  it('the generated dashboards are what the code builds; after a change: npm run generate', async () => {
    expect(await staleFiles(ROOT, DASHBOARD_FILES)).toEqual([]);
    expect(await staleFiles(import.meta.dirname, DASHBOARD_FILES)).toHaveLength(DASHBOARD_FILES.length);
  });

  it('the generated dashboards are built alike twice, so that nothing in them depends on time or chance', () => {
    for (const { render } of DASHBOARD_FILES) expect(render()).toBe(render());
    for (const [, text] of GENERATED_TEXTS) expect(text).not.toMatch(/\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b/);
  });

  it.each(GENERATED_TEXTS)(
    'the generated dashboards: %s has the shape of the types of the SDK, and no key beyond',
    (_, text) => {
      expect(dashboardShape.safeParse(JSON.parse(text)).error?.issues ?? []).toEqual([]);
    },
  );

  it('the generated dashboards have the uids that alerts and Jaeger link to, each once', () => {
    expect(GENERATED.map(({ uid }) => uid).sort()).toEqual(Object.values(DASHBOARD_UIDS).sort());
    expect(repeated(GENERATED.map(({ title }) => title))).toEqual([]);
  });
});

describe.each(GENERATED)('$uid', (dashboard) => {
  const panels = panelsOf(dashboard);

  it('numbers its panels and rows without a repetition, and names them so', () => {
    expect(panels.length).toBeGreaterThan(8);
    expect(repeated(dashboard.panels.map(({ id }) => id))).toEqual([]);
    expect(repeated(panels.map(({ title }) => title))).toEqual([]);
  });

  it('says of every panel what it shows and what to do, in which unit, and what no value means', () => {
    for (const { title, description, fieldConfig } of panels) {
      expect(description.length, title).toBeGreaterThan(60);
      expect(fieldConfig.defaults.unit, title).not.toBe('');
      expect(fieldConfig.defaults.noValue, title).not.toBe('');
    }
  });

  it('puts a dash, not the sentence of the panel, into a cell or number that is empty', () => {
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

  it('never colours what is missing as good or bad', () => {
    for (const panel of panels.filter(({ type }) => type === 'table' || type === 'stat'))
      for (const mappings of colouredValues(panel))
        expect(mappings.at(-1), panel.title).toMatchObject({ type: 'special', options: { match: 'null' } });
  });

  it('tells leads in hours, which no unit turns into days or weeks', () => {
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

  it('has room for every column of a table on a screen of 1920 pixels', () => {
    for (const panel of panels.filter(({ type }) => type === 'table'))
      expect(widthOf(panel), panel.title).toBeLessThanOrEqual((panel.gridPos.w / 24) * 1878);
  });

  it('names the numbers of a stat that are not always there, even when one stands alone', () => {
    for (const { title, targets, options } of panels.filter(({ type }) => type === 'stat'))
      if (targets.length > 1) expect(options['textMode'], title).toBe('value_and_name');
  });

  it('draws no line that has to be at 0 on a logarithmic scale, which has none', () => {
    for (const { title, fieldConfig } of panels.filter(({ type }) => type === 'timeseries')) {
      const scale = (fieldConfig.defaults.custom?.['scaleDistribution'] ?? {}) as { readonly type?: string };
      if (scale.type === 'log') expect(fieldConfig.defaults.min, title).toBeUndefined();
    }
  });

  it('draws trends without limits, which would be those of the number below the lines, too', () => {
    for (const { title, fieldConfig } of panels.filter(({ type }) => type === 'trend'))
      expect([fieldConfig.defaults.min, fieldConfig.defaults.max], title).toEqual([undefined, undefined]);
  });

  it('reads only from the datasources that are provisioned, in each query from that of its panel', () => {
    const known: readonly string[] = Object.values(DATASOURCES).map(({ uid }) => uid);
    for (const panel of panels) {
      expect(known).toContain(panel.datasource.uid);
      for (const target of panel.targets) expect(target.datasource).toEqual(panel.datasource);
    }
  });

  it('lays its panels side by side: none over another, none beyond the grid', () => {
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

  it('uses only variables that it has', () => {
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

  it('has variables that depend only on those before them', () => {
    dashboard.templating.list.forEach(({ query }, index) => {
      const before = variablesOf(dashboard).slice(0, index);
      for (const [, name] of query.matchAll(/\$\{(\w+)/g)) expect(before).toContain(name);
    });
  });

  it('leads to dashboards that exist, with variables that they have', () => {
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

  it('leads to traces in the form that Jaeger reads', () => {
    const links = panels.flatMap(linksOf).filter((url) => url.startsWith('${jaeger}'));
    const form =
      /^\$\{jaeger\}\/trace\/\$\{__data\.fields\.trace_id:percentencode\}(\?uiFind=\$\{__data\.fields\.span_id:percentencode\})?$/;
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((url) => !form.test(url))).toEqual([]);
  });

  it('leads to every other dashboard at its top, with all that is chosen, and the time where both show hours', () => {
    const others = GENERATED.filter(({ uid }) => uid !== dashboard.uid);
    expect(dashboard.links.map(({ url }) => url)).toEqual(others.map(({ uid }) => `/d/${uid}`));
    const isOfHours = ({ time }: typeof dashboard) => time.from.endsWith('h');
    expect(dashboard.links.map(({ keepTime }) => keepTime)).toEqual(
      others.map((other) => isOfHours(dashboard) && isOfHours(other)),
    );
  });
});
