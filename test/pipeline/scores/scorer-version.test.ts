import { expect, it } from 'vitest';
import type { GridStore } from '#grids';
import { createFieldCache, newCacheUse } from '#pipeline/scores/field-cache';
import { DAY1_FIELDS, hasField, sharedPlannedFields, splitByPresence } from '#pipeline/scores/field-plan';
import { scoreDay1Lead } from '#pipeline/scores/score-day1';
import { scoreEra5Lead } from '#pipeline/scores/score-era5-lead';
import { SCORER_VERSION } from '#pipeline/scores/score-inputs';
import { isoAfterInit, tinyClimatology, tinyStore } from '../support/tiny-world.ts';

/** Digits that do not depend on the order in which a machine adds. */
const DIGITS = 9;

/** Forecasts that take each of the ways through the rules. */
const FORECASTS = {
  good: { error: 0.1, phase: 1 },
  bad: { error: 5, phase: 3 },
  'like the reference': { error: 0.4, phase: 5 },
  'in hectopascal': { error: 0.1, phase: 1, scale: { msl: 0.01 } },
  'with gaps': { error: 0, nanEvery: 9 },
} as const;

it('the same fields have the scores of this version of the scorer: other rules raise SCORER_VERSION', async () => {
  const truth = await tinyStore({ leads: [24], error: 0 });
  const climatology = await tinyClimatology([24]);
  const reference = await tinyStore({ leads: [24], error: 0.4, phase: 5 });
  const against = (forecast: GridStore) => ({
    ...{ forecast, truth: { name: 'truth', store: truth } },
    climatology: { name: 'climatology', store: climatology },
    reference: { name: 'reference', store: reference },
    ...{ validTime: new Date(isoAfterInit(24)), fields: createFieldCache(1e6), use: newCacheUse() },
  });
  const day1Fields = DAY1_FIELDS.filter((field) => hasField(truth, field));
  const lines: string[] = [];
  for (const [name, shape] of Object.entries(FORECASTS)) {
    const forecast = await tinyStore({ leads: [24], ...shape });
    const era5 = await scoreEra5Lead(against(forecast), sharedPlannedFields(truth, climatology));
    const day1 = await scoreDay1Lead(against(forecast), splitByPresence(forecast, day1Fields));
    for (const [type, { components, ...result }] of Object.entries({ era5, day1 }))
      lines.push(toLine({ name, type, ...result }), ...components.map(toLine));
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(
    `fixtures/scores-of-version-${SCORER_VERSION}.jsonl`,
  );
});

/** Neither durations nor digests are the result of a rule. */
const toLine = (value: object): string =>
  JSON.stringify(value, (key, one: unknown) => {
    if (key === 'durationMs' || key === 'digests') return undefined;
    return typeof one === 'number' ? Number(one.toPrecision(DIGITS)) : one;
  });
