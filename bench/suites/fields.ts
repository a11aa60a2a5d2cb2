import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scoreField } from '#scoring';
import { median } from '../harness/statistics.ts';
import type { Comparison, Scale, Suite } from '../harness/suite.ts';
import {
  knownScores,
  requireSameScores,
  type ComparedFields,
  type ComparedScores,
} from '../scoring/compared-scores.ts';
import { globe, leadField, type LeadRole } from '../scoring/lead-fields.ts';
import { naiveScores } from '../scoring/naive-scores.ts';
import { startNumpy, type NumpyPrecision, type NumpyScores } from '../scoring/numpy-scores.ts';

/** Grid resolution and repetitions per measurement; the warm-up rounds let the JIT compile. */
const SCALES = {
  quick: { stepDegrees: 2, repeats: 3, warmUp: 3 },
  full: { stepDegrees: 0.25, repeats: 15, warmUp: 40 },
} as const;

/** All metrics of one field, on the grid of ERA5: 721 by 1440 points. */
export async function openFields(scale: Scale): Promise<Suite> {
  const { stepDegrees, repeats, warmUp } = SCALES[scale];
  const fields = makeFields(stepDegrees);
  const directory = await mkdtemp(join(tmpdir(), 'barograph-fields-'));
  const numpy = await startNumpy(fields, { directory, repeats });
  const close = async (): Promise<void> => {
    await numpy?.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const ours = (): ComparedScores => knownScores(scoreField(fields));
    const naive = (): ComparedScores => naiveScores(fields);
    await checkSides(ours(), naive(), numpy);
    for (let round = 0; round < warmUp; round++) requireSameScores('One pass a metric', naive(), ours());
    return { comparisons: [comparison({ fields, repeats, ours, naive, numpy })], close };
  } catch (error) {
    await close();
    throw error;
  }
}

function makeFields(stepDegrees: number): ComparedFields {
  const grid = globe(stepDegrees);
  const field = (role: LeadRole): Float32Array => leadField({ role, name: 't', pressureHpa: 850 }, grid);
  return {
    forecast: field('forecast'),
    truth: field('truth'),
    reference: field('reference'),
    climatology: field('climatology'),
    latitudes: grid.latitudes,
  };
}

async function checkSides(
  expected: ComparedScores,
  naive: ComparedScores,
  numpy: NumpyScores | null,
): Promise<void> {
  requireSameScores('One pass for each metric', naive, expected);
  for (const precision of ['double', 'single'] as const) {
    const measured = await numpy?.measure(precision);
    if (measured !== undefined)
      requireSameScores(`numpy in ${precision} precision`, measured.scores, expected);
  }
}

interface Sides {
  readonly fields: ComparedFields;
  readonly repeats: number;
  readonly ours: () => ComparedScores;
  readonly naive: () => ComparedScores;
  readonly numpy: NumpyScores | null;
}

function comparison({ fields, repeats, ours, naive, numpy }: Sides): Comparison {
  const timed = (score: () => ComparedScores) => (): number => medianMillis(score, repeats);
  const asked = (precision: NumpyPrecision) => async (): Promise<number> =>
    (await numpy?.measure(precision))?.millis ?? NaN;
  const times = (by: Readonly<Record<string, number>>, side: string): number =>
    (by[side] ?? NaN) / (by['scoreField'] ?? NaN);
  const rows = fields.latitudes.length;
  return {
    name: `All metrics of one field of ${rows} × ${fields.forecast.length / rows} points`,
    unit: 'ms',
    sides: {
      scoreField: timed(ours),
      'one pass a metric': timed(naive),
      'numpy, double precision': asked('double'),
      'numpy, single precision': asked('single'),
    },
    targets: [
      {
        what: 'one pass a metric, times ours',
        unit: '×',
        atLeast: 3,
        value: (by) => times(by, 'one pass a metric'),
      },
      {
        what: 'numpy, times ours',
        unit: '×',
        atLeast: 2,
        value: (by) => times(by, 'numpy, double precision'),
      },
      {
        what: 'numpy in single precision, times ours',
        unit: '×',
        value: (by) => times(by, 'numpy, single precision'),
      },
    ],
  };
}

function medianMillis(score: () => ComparedScores, repeats: number): number {
  const millis = Array.from({ length: repeats }, () => {
    const startedAt = performance.now();
    const { acc } = score();
    const took = performance.now() - startedAt;
    if (!Number.isFinite(acc)) throw new Error('A score is missing.');
    return took;
  });
  return median(millis);
}
