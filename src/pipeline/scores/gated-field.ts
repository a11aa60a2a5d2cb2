import { GridTimeMissingError } from '#grids';
import { checkEra5Gates, fixUnits, measureForGates, type Era5GateCategory, type UnitFix } from '#scoring';
import { CategorizedError, type ErrorCategory, type FieldCheck } from '#semconv';
import { classifyError, isRetryable } from '#steps';
import { fieldKey, type PlannedField } from './field-plan.ts';
import type { ComparedFields, FieldDigests } from './fields-at.ts';

/** A forecast field that may be scored: in the unit of the truth, its gaps filled with climatology where there is one. */
export interface GatedField {
  readonly kind: 'scorable';
  readonly fields: ComparedFields;
  readonly unitFix: UnitFix | null;
  /** Share of the truth's points with a value at which the forecast had one, before its gaps were filled. */
  readonly coverage: number;
}

/** A field of a forecast that failed a check: it could not be read as it was frozen, or it was rejected by a gate. */
export interface FailedField {
  readonly kind: 'unread' | 'rejected';
  readonly check: FieldCheck;
  /** The error of the step where this field leaves the lead without a score. */
  readonly error: unknown;
  /** Of a field that was read. */
  readonly digests?: FieldDigests;
  /** As of a gated field; absent where the field could not be read. */
  readonly coverage?: number;
}

/** The categories of reading errors that are about one field. All others, transport first, are about the whole store. */
const CHECK_OF_CATEGORY: Readonly<Partial<Record<ErrorCategory, FieldCheck>>> = {
  verification_chunk: 'manifest_mismatch',
  invalid_response: 'unreadable',
  not_found: 'unreadable',
};

/**
 * The check that a field failed, by the error of reading it. Null for an error that a retry may heal, such as a
 * lost connection or truth that cannot be read: no field is bad, and the next one would fail in the same way.
 */
export function failedCheckOf(error: unknown): FieldCheck | null {
  if (isRetryable(error)) return null;
  if (error instanceof GridTimeMissingError) return 'missing_time';
  return CHECK_OF_CATEGORY[classifyError(error)] ?? null;
}

const CHECK_OF_GATE: Readonly<Record<Era5GateCategory, FieldCheck>> = {
  data_extreme: 'extreme_value',
  data_coverage: 'coverage',
};

/**
 * Converts a forecast field to the unit of the truth and checks the gates of coverage and magnitude.
 *
 * The few points that a passing field may lack are filled with climatology, so that omitting hard points gains nothing.
 */
export function gateField(field: PlannedField, fields: ComparedFields): GatedField | FailedField {
  const { values, fix } = fixUnits(field.variable, fields.forecast, fields.truth);
  const forecast = values instanceof Float32Array ? values : Float32Array.from(values);
  const measured = measureForGates(forecast, fields.truth);
  const gate = checkEra5Gates(measured);
  if (gate.kind === 'rejected') {
    const message = `Field ${fieldKey(field)} of the forecast is not scored: ${gate.category} is ${gate.measured}, the limit is ${gate.limit}.`;
    const check = CHECK_OF_GATE[gate.category];
    const error = new CategorizedError(gate.category, message);
    return {
      ...{ kind: 'rejected', check, error, coverage: measured.finiteCoverage },
      ...(fields.digests && { digests: fields.digests }),
    };
  }
  const { climatology } = fields;
  const isWhole = climatology === undefined || measured.finiteCoverage === 1;
  const filled = isWhole ? forecast : fillGaps(forecast, climatology);
  const { finiteCoverage: coverage } = measured;
  return { kind: 'scorable', fields: { ...fields, forecast: filled }, unitFix: fix, coverage };
}

/** The forecast with climatology where it has no finite value. */
const fillGaps = (forecast: Float32Array, climatology: Float32Array): Float32Array =>
  forecast.map((value, index) => (Number.isFinite(value) ? value : (climatology[index] ?? Number.NaN)));
