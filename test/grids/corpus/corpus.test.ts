import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type GridSource, openGridStore } from '#grids';
import { scoreStores, type ScoreRow } from '#commands/score/score-stores';
import { rejectionOf } from '../small-store.ts';

const CORPUS = fileURLToPath(new URL('stores.json.gz', import.meta.url));
const FOREIGN = fileURLToPath(new URL('../../../../shared/data/foreign-stores', import.meta.url));
const SCORES = [
  'mse',
  'rmse',
  'mae',
  'bias',
  'acc',
  'skill_score_gfs',
  'skill_score_climatology',
  'coverage',
] as const;
/** Relative, and absolute below 1e-3. */
const TOLERANCE = 1e-6;

/** One row of expected scores; where a forecast has gaps, a skill over the points that all share may stand beside it. */
type ExpectedRow = Pick<ScoreRow, 'valid_time_utc' | 'variable' | 'pressure_level'> &
  Readonly<Record<(typeof SCORES)[number], number | null>> &
  Readonly<Record<string, unknown>>;
type StoreFiles = Readonly<Record<string, string>>;
type Roles<Source> = { readonly forecast: Source } & Readonly<
  Partial<Record<'truth' | 'reference' | 'climatology', Source>>
>;

interface CorpusCase {
  readonly name: string;
  readonly property: string;
  readonly stores: Roles<StoreFiles>;
  readonly scores?: readonly ExpectedRow[];
  /** A part of the message by which the store is refused. */
  readonly error?: string;
}

const corpus = JSON.parse(gunzipSync(readFileSync(CORPUS)).toString()) as {
  readonly common: Required<Omit<Roles<StoreFiles>, 'forecast'>>;
  readonly cases: readonly CorpusCase[];
};

const toFiles = (files: StoreFiles): Map<string, Uint8Array> =>
  new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content, 'base64')]));

async function scoresOf({ forecast, truth, reference, climatology }: Required<Roles<GridSource>>) {
  return scoreStores({
    forecast: await openGridStore(forecast),
    truth: await openGridStore(truth),
    reference: await openGridStore(reference),
    climatology: await openGridStore(climatology, { allowsDayOfYear: true }),
  });
}

const keyOf = (row: Pick<ScoreRow, 'valid_time_utc' | 'variable' | 'pressure_level'>): string =>
  `${row.valid_time_utc} ${row.variable} ${String(row.pressure_level ?? '')}`;

function isNear(got: unknown, expected: unknown): boolean {
  if (typeof got !== 'number' || typeof expected !== 'number') return got === expected;
  return Math.abs(got - expected) <= TOLERANCE * Math.max(1e-3, Math.abs(expected));
}

/** Every score that differs, and every row that is on one side only. */
function differences(got: readonly ScoreRow[], expected: readonly ExpectedRow[]): string[] {
  const byKey = new Map(got.map((row) => [keyOf(row), row]));
  const different = expected.flatMap((row) => {
    const found = byKey.get(keyOf(row));
    byKey.delete(keyOf(row));
    if (found === undefined) return [`${keyOf(row)}: no row`];
    return SCORES.filter(
      (score) =>
        !isNear(found[score], row[score]) &&
        !isNear(found[score], row[`${score}_on_shared_points`] ?? row[score]),
    ).map((score) => `${keyOf(row)} ${score}: ${String(found[score])}, not ${String(row[score])}`);
  });
  return [...different, ...[...byKey.keys()].map((key) => `${key}: a row too many`)];
}

describe('the corpus of stores as people write them', () => {
  it('it has at least sixty properties and less than 1.5 MB', () => {
    expect(new Set(corpus.cases.map(({ property }) => property)).size).toBeGreaterThanOrEqual(60);
    expect(statSync(CORPUS).size).toBeLessThan(1_500_000);
  });

  it.each(corpus.cases.filter(({ scores }) => scores !== undefined))(
    '$name gives the scores that numpy computes: $property',
    async ({ stores, scores = [] }) => {
      const sources = { ...corpus.common, ...stores };
      const got = await scoresOf({
        forecast: toFiles(sources.forecast),
        truth: toFiles(sources.truth),
        reference: toFiles(sources.reference),
        climatology: toFiles(sources.climatology),
      });
      expect(differences(got, scores)).toEqual([]);
    },
  );

  it.each(corpus.cases.filter(({ error }) => error !== undefined))(
    '$name is refused with the reason: $property',
    async ({ stores, error }) => {
      expect(await rejectionOf(openGridStore(toFiles(stores.forecast)))).toMatchObject({
        message: expect.stringContaining(error ?? '') as string,
      });
    },
  );
});

const folders = existsSync(FOREIGN) ? readdirSync(FOREIGN).filter((name) => isCase(name)) : [];

function isCase(name: string): boolean {
  return existsSync(join(FOREIGN, name, 'expected-scores.json'));
}

describe.skipIf(folders.length === 0)(
  'stores of others in the shared folder (else: it is not here, so its expected scores are not checked)',
  () => {
    it.each(folders)('%s gives the scores of its independent computation', async (folder) => {
      const document = JSON.parse(readFileSync(join(FOREIGN, folder, 'expected-scores.json'), 'utf8')) as {
        readonly stores: Required<Roles<string>>;
        readonly scores: readonly ExpectedRow[];
      };
      const at = (path: string): string => join(FOREIGN, folder, path);
      const { forecast, truth, reference, climatology } = document.stores;
      const got = await scoresOf({
        forecast: at(forecast),
        truth: at(truth),
        reference: at(reference),
        climatology: at(climatology),
      });
      expect(differences(got, document.scores)).toEqual([]);
    });
  },
);
