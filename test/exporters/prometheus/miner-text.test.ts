import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIRRORED_COLUMNS } from '#prometheus/miner-series';
import { createRegistry, type MetricRegistry, type TextFormat } from '#prometheus/registry';
import { bySeniority, withinBudget } from '#prometheus/series-budget';
import type { CommittedMinerStats } from '#facts/miner-stats';
import { OVERFLOW } from '#semconv/metric-labels';
import { ERROR_CATEGORIES } from '#semconv';
import { AT, exporterFor, minerStats, OPENMETRICS } from './fixtures.ts';

/** The same rows as the library renders them, sample by sample. */
function rendered(rows: readonly CommittedMinerStats[], maxMiners: number): MetricRegistry {
  const registry = createRegistry();
  const own = withinBudget(rows, { maxMiners, maxValidators: 64 });
  for (const column of MIRRORED_COLUMNS) {
    registry.derived(column.metric, function* () {
      for (const row of [...own, ...rows.filter((row) => !own.has(row)).sort(bySeniority)]) {
        if (!own.has(row) && column.kind === 'gauge') continue;
        const identity = {
          validator_id: String(row.validatorId),
          miner_hotkey: row.minerHotkey,
          ...(row.minerUid === null ? {} : { miner_uid: String(row.minerUid) }),
        };
        const labels = own.has(row)
          ? identity
          : { validator_id: identity.validator_id, miner_hotkey: OVERFLOW };
        for (const { value, errorType } of column.read(row))
          yield { labels: errorType === undefined ? labels : { ...labels, error_type: errorType }, value };
      }
    });
  }
  return registry;
}

/** The part of a text that is about the columns of miners. */
function minerPart(body: string): string {
  const [first, last] = [MIRRORED_COLUMNS.at(0), MIRRORED_COLUMNS.at(-1)].map((column) =>
    (column?.metric.name ?? '').replace(/_total$/, ''),
  );
  const start = body.indexOf(`# HELP ${first ?? ''}`);
  const end = body.indexOf('# HELP', body.indexOf(`# TYPE ${last ?? ''}`));
  return body
    .slice(start, end === -1 ? undefined : end)
    .replace(/# EOF\n$/, '')
    .trimEnd();
}

const FORMATS: readonly (readonly [TextFormat, string | undefined])[] = [
  ['classic', undefined],
  ['openmetrics', OPENMETRICS],
];

// Far beyond any of our values, and still no eight of them add up to more than a double holds.
const number = fc.oneof(
  fc.double({ min: -1e300, max: 1e300, noDefaultInfinity: true }),
  fc.nat(),
  fc.constantFrom(0, -0, 1e21, 1e-7, -1, NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 0.1 + 0.2),
);
const nullable = fc.option(number);
const row = fc.record({
  validatorId: fc.integer({ min: 1, max: 3 }),
  minerHotkey: fc.constantFrom('5A', '5B', '5C', '5D', OVERFLOW, 'no "identity"\\\n'),
  minerUid: fc.option(fc.nat(255)),
  isSelected: fc.boolean(),
  successfulForecasts: fc.nat(),
  failedForecasts: fc.nat(),
  hostingSuccesses: fc.nat(),
  avgHostingLatencyMs: nullable,
  avgForecastScore: nullable,
  minerRank: fc.option(fc.nat()),
  avgEra5Completeness: nullable,
  scoreStdDev: nullable,
  totalInferenceTime: number,
  lastActive: fc.option(fc.integer({ min: 0, max: AT })),
  commonErrors: fc.dictionary(fc.constantFrom(...ERROR_CATEGORIES), fc.nat()),
});
const table = fc.uniqueArray(row, {
  maxLength: 8,
  selector: ({ validatorId, minerHotkey }) => `${validatorId}/${minerHotkey}`,
});

describe('Cached lines of miners', () => {
  it.each(FORMATS)(
    'the cached lines give the %s text that the library gives for the same rows',
    async (format, accept) => {
      await fc.assert(
        fc.asyncProperty(table, fc.integer({ min: 0, max: 8 }), async (known, maxMiners) => {
          const rows = known.map((values) => minerStats(values));
          const exporter = exporterFor({ limits: { maxMiners } });
          exporter.seed(rows);
          const { body } = await exporter.render(accept);
          const { body: wanted } = await rendered(rows, maxMiners).render(format);
          expect(minerPart(body).split('\n').toSorted()).toEqual(minerPart(wanted).split('\n').toSorted());
        }),
        { numRuns: 200 },
      );
    },
  );

  it.each(FORMATS)(
    'the cached lines are in the %s text where the library would have put them',
    async (format, accept) => {
      const rows = [
        minerStats({ minerRank: 1, commonErrors: { timeout: 2 } }),
        minerStats({ minerHotkey: '5B' }),
      ];
      const exporter = exporterFor();
      exporter.seed(rows);
      const { body } = await exporter.render(accept);
      expect(minerPart(body)).toBe(minerPart((await rendered(rows, 9).render(format)).body));
    },
  );

  it('a changed row invalidates its cached lines', async () => {
    const exporter = exporterFor();
    exporter.seed([minerStats({ failedForecasts: 1 })]);
    const before = await exporter.render(undefined);
    expect((await exporter.render(undefined)).body).toBe(before.body);
    exporter.observe({ steps: [], minerStats: [minerStats({ failedForecasts: 2 })] });
    const fresh = exporterFor();
    fresh.seed([minerStats({ failedForecasts: 2 })]);
    expect((await exporter.render(undefined)).body).toBe((await fresh.render(undefined)).body);
  });
});
