import { describe, expect, it } from 'vitest';
import { compareLead } from '#commands/verify-scores/compare-scores';
import type { ComponentScore } from '#pipeline/scores/component-score';
import { SCORER_VERSION, type RescoredLead } from '#pipeline/scores/score-inputs';
import { FIELD_METRICS, type RecordedField, type RecordedLead } from '#reports/recorded-scores';
import type { Variable } from '#semconv';

const NOTHING = { forecast: null, truth: null, reference: null, climatology: null };
const BYTES = { forecast: 'f', truth: 't', reference: null, climatology: 'c' };
const metrics = Object.fromEntries(FIELD_METRICS.map((name) => [name, null])) as Record<
  (typeof FIELD_METRICS)[number],
  null
>;
const row = (variable: string, changes: Partial<RecordedField> = {}): RecordedField => ({
  variable,
  level: null,
  failed_check: null,
  digests: BYTES,
  ...metrics,
  ...changes,
});
const component = (variable: Variable, digests: ComponentScore['digests'] = BYTES): ComponentScore => ({
  field: { variable, pressureHpa: null },
  scores: null,
  skillScore: null,
  clonePenalty: null,
  variableWeight: null,
  durationMs: 1,
  failedCheck: null,
  reason: null,
  digests,
});
const recorded = (fields: readonly RecordedField[], changes: Partial<RecordedLead> = {}): RecordedLead => ({
  score_type: 'era5',
  lead_hours: 24,
  valid_time: '2026-11-24T00:00:00.000Z',
  score: 0.5,
  scorer_version: SCORER_VERSION,
  inputs: [{ role: 'truth', kind: 'directory', address: '/t.zarr', digest: 'd', expver: '0005' }],
  fields,
  ...changes,
});
const now = (
  components: readonly ComponentScore[],
  score: number | null = 0.5,
  expver: string | null = '0005',
): RescoredLead => ({
  score,
  components,
  inputs: [{ role: 'truth', kind: 'directory', address: '/t.zarr', digest: 'd', expver }],
});

describe('compareLead', () => {
  it('a variable that the truth has gained is a changed input, not a wrong score', () => {
    const found = compareLead(recorded([row('2t')]), now([component('2t'), component('msl')], 0.6));
    expect(found).toMatchObject({ verdict: 'input_changed', score: 0.5, score_now: 0.6 });
    expect(found.changed_inputs).toEqual([
      { role: 'truth', address: '/t.zarr', field: 'msl', digest_before: null, digest_now: 't' },
    ]);
  });

  it('a field that was not the frozen one and is readable in a copy is a change of the forecast alone', () => {
    const bad = row('2t', { failed_check: 'manifest_mismatch', digests: NOTHING });
    const found = compareLead(recorded([bad], { score: null }), now([component('2t')]));
    expect(found.verdict).toBe('input_changed');
    expect(found.changed_inputs.map(({ role, field }) => [role, field])).toEqual([['forecast', '2t']]);
  });

  it('another score of the same bytes is wrong by the same rules, and a comparison between others', () => {
    const same = now([component('2t')], 0.6);
    expect(compareLead(recorded([row('2t')]), same).verdict).toBe('score_differs');
    expect(compareLead(recorded([row('2t')], { scorer_version: '0' }), same).verdict).toBe('other_version');
  });

  it('the last digit of a score may differ between engines, and nothing more', () => {
    const close = now([component('2t')], 0.5 * (1 + 1e-15));
    expect(compareLead(recorded([row('2t')]), close).verdict).toBe('equal');
    expect(compareLead(recorded([row('2t')]), now([component('2t')], 0.5 + 1e-9)).verdict).toBe(
      'score_differs',
    );
  });

  it('preliminary truth that became final is named by its experiment versions', () => {
    const final = now([component('2t', { ...BYTES, truth: 'u' })], 0.4, '0001');
    expect(compareLead(recorded([row('2t')]), final)).toMatchObject({
      verdict: 'input_changed',
      changed_expver: [{ role: 'truth', before: '0005', now: '0001' }],
    });
  });

  it('a row without digests proves nothing, unless its field was never read', () => {
    const bare = compareLead(recorded([row('2t', { digests: NOTHING })]), now([component('2t')]));
    expect(bare).toMatchObject({ verdict: 'unproved', changed_inputs: [] });
  });
});
