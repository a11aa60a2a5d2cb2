import type { ComponentScore } from '#pipeline/scores/component-score';
import { fieldKey } from '#pipeline/scores/field-plan';
import { SCORER_VERSION, type RescoredLead } from '#pipeline/scores/score-inputs';
import {
  FIELD_METRICS,
  type FieldMetric,
  type RecordedField,
  type RecordedLead,
} from '#reports/recorded-scores';
import type { InputRole } from '#semconv';

/** A field whose bytes are not those that were scored. */
export interface ChangedInput {
  readonly role: InputRole;
  readonly address: string | null;
  /** Variable with level: `z500`. */
  readonly field: string;
  /** SHA-256; null where there was no field, or nothing to digest. */
  readonly digest_before: string | null;
  readonly digest_now: string | null;
}

/** A number that is another one now. */
export interface ScoreDifference {
  readonly field: string;
  readonly metric: FieldMetric;
  readonly recorded: number | null;
  readonly now: number | null;
}

/**
 * `input_changed`: the bytes of a field are not those that were scored, so that the scores prove nothing of the scorer;
 * `other_version`: other scores from the same bytes, by other rules; `score_differs`: other scores from the same bytes by the same
 * rules; `unproved`: no digests were recorded; `unreadable`: a store cannot be read.
 */
export type Verdict =
  'equal' | 'input_changed' | 'other_version' | 'score_differs' | 'unproved' | 'unreadable';

/** What became of one lead; its names are those of the `--json` document. */
export interface VerifiedLead extends Pick<RecordedLead, 'score_type' | 'lead_hours' | 'scorer_version'> {
  readonly verdict: Verdict;
  readonly scorer_version_now: string;
  readonly score: number | null;
  readonly score_now: number | null;
  readonly fields: number;
  readonly changed_inputs: readonly ChangedInput[];
  /** Experiment versions of ERA5 that are others now. */
  readonly changed_expver: readonly {
    readonly role: InputRole;
    readonly before: string | null;
    readonly now: string | null;
  }[];
  readonly differences: readonly ScoreDifference[];
  /** Why a store cannot be read; null for one that was read. */
  readonly reason: string | null;
}

/** Both sides add in the same order; engines may differ in the last digit of a cosine. */
const RELATIVE_TOLERANCE = 1e-12;

const isSame = (a: number | null, b: number | null): boolean =>
  a === b ||
  (a !== null && b !== null && Math.abs(a - b) <= RELATIVE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b)));

const commonOf = (recorded: RecordedLead) => ({
  score_type: recorded.score_type,
  lead_hours: recorded.lead_hours,
  scorer_version: recorded.scorer_version,
  scorer_version_now: SCORER_VERSION,
  score: recorded.score,
  fields: recorded.fields.length,
});

/** A lead of which a store cannot be read: nothing is known of its score. */
export const unreadableLead = (recorded: RecordedLead, reason: string): VerifiedLead => ({
  ...commonOf(recorded),
  verdict: 'unreadable',
  score_now: null,
  changed_inputs: [],
  changed_expver: [],
  differences: [],
  reason,
});

/** Compares a recorded lead with the same lead as it is scored now. */
export function compareLead(recorded: RecordedLead, now: RescoredLead): VerifiedLead {
  const byKey = new Map(now.components.map((component) => [fieldKey(component.field), component]));
  const known = new Map(recorded.fields.map((field) => [`${field.variable}${field.level ?? ''}`, field]));
  const pairs = [...new Set([...known.keys(), ...byKey.keys()])].map((key) => ({
    key,
    field: known.get(key),
    component: byKey.get(key),
  }));
  const isProved = recorded.fields.some(hasDigest) || recorded.fields.every(isUnread);
  const changed = pairs.flatMap((pair) => changedInputs(pair, recorded));
  const differences = pairs.flatMap(differencesOf);
  const isEqual = differences.length === 0 && isSame(recorded.score, now.score);
  const parts = { isProved, isEqual, isChanged: changed.length > 0, version: recorded.scorer_version };
  return {
    ...commonOf(recorded),
    verdict: verdictOf(parts),
    score_now: now.score,
    changed_inputs: isProved ? changed : [],
    changed_expver: recorded.inputs.flatMap(({ role, expver: before }) => {
      const expver = now.inputs.find((input) => input.role === role)?.expver ?? null;
      return expver === before ? [] : [{ role, before, now: expver }];
    }),
    differences,
    reason: null,
  };
}

interface Findings {
  readonly isProved: boolean;
  readonly isEqual: boolean;
  readonly isChanged: boolean;
  readonly version: string | null;
}

function verdictOf({ isProved, isEqual, isChanged, version }: Findings): Verdict {
  if (!isProved) return 'unproved';
  if (isChanged) return 'input_changed';
  if (isEqual) return 'equal';
  return version === SCORER_VERSION ? 'score_differs' : 'other_version';
}

const hasDigest = ({ digests }: RecordedField): boolean =>
  Object.values(digests).some((digest) => digest !== null);

/** Its files were not there, not the frozen ones, or could not be decoded: what of it is there now is new. */
const isUnread = (field: RecordedField): boolean => field.failed_check !== null && !hasDigest(field);

/** A field as it was recorded and as it is scored now; undefined where it was not, or is not any more. */
interface Pair {
  readonly key: string;
  readonly field: RecordedField | undefined;
  readonly component: ComponentScore | undefined;
}

const DIGESTS = ['forecast', 'truth', 'reference', 'climatology'] as const;

function changedInputs({ key, field, component }: Pair, { inputs }: RecordedLead): ChangedInput[] {
  return rolesAtFault(field).flatMap((name) => {
    const [before, now] = [field?.digests[name] ?? null, component?.digests?.[name] ?? null];
    if (before === now) return [];
    const isRole = (role: InputRole): boolean => role === name || (name === 'truth' && role === 'analysis');
    const input = inputs.find(({ role }) => isRole(role));
    const place = { role: input?.role ?? name, address: input?.address ?? null, field: key };
    return [{ ...place, digest_before: before, digest_now: now }];
  });
}

/** A field that the forecast lacked has a row; one without a row is one that the truth has gained. */
function rolesAtFault(field: RecordedField | undefined): readonly (typeof DIGESTS)[number][] {
  if (field === undefined) return ['truth'];
  return isUnread(field) ? ['forecast'] : DIGESTS;
}

function differencesOf({ key, field, component }: Pair): ScoreDifference[] {
  if (field === undefined) return [];
  const now = metricsOf(component);
  return FIELD_METRICS.filter((metric) => !isSame(field[metric], now[metric])).map((metric) => ({
    field: key,
    metric,
    recorded: field[metric],
    now: now[metric],
  }));
}

function metricsOf(component: ComponentScore | undefined): Readonly<Record<FieldMetric, number | null>> {
  const scores = component?.scores;
  return {
    rmse: scores?.rmse ?? null,
    mse: scores?.mse ?? null,
    mae: scores?.mae ?? null,
    bias: scores?.bias ?? null,
    acc: scores?.acc ?? null,
    skill_score: component?.skillScore ?? null,
    skill_score_gfs: scores?.skillScoreReference ?? null,
    skill_score_climatology: scores?.skillScoreClimatology ?? null,
    plain_skill_score_gfs: scores?.plainSkillReference ?? null,
    plain_skill_score_climatology: scores?.plainSkillClimatology ?? null,
    coverage: component?.coverage ?? null,
  };
}
