import type { PlannedField } from './field-plan.ts';
import { createComparedFieldReader, type ComparedFields, type FieldSources } from './fields-at.ts';
import { failedCheckOf, gateField, type FailedField, type GatedField } from './gated-field.ts';
import { upstreamError } from './store-handle.ts';

/** What a lead makes of each of its fields. Nothing may keep the values: the fields of a lead do not fit in memory. */
export interface LeadRule<Result> {
  /** @param startedAt ms, by `performance.now()`: when the reading of the field began */
  readonly scored: (field: PlannedField, gated: GatedField, startedAt: number) => Result;
  readonly failed: (field: PlannedField, failed: FailedField, startedAt: number) => Result;
  /** Whether the failure of one field leaves the whole lead without a score. */
  readonly failsLead: (failed: FailedField) => boolean;
}

/** The results of the fields in their order, and the first failure that leaves the lead without a score. */
export interface ExaminedFields<Result> {
  readonly results: readonly Result[];
  readonly failure: FailedField | null;
}

/**
 * Reads and checks the fields of a lead, one after the other, to the last: a field that fails hides none after it.
 *
 * @throws the error that no field is to blame for, a lost connection for example, as soon as it occurs. After a field
 * that failed the lead it only ends the reading: the first cause stays, and a dead connection is not tried again. Also
 * `truth_not_ready` where the truth holds no value in any field: it is not filled yet, and no forecast can be blamed for that
 */
export async function examineFields<Result>(
  sources: FieldSources,
  planned: readonly PlannedField[],
  rule: LeadRule<Result>,
): Promise<ExaminedFields<Result>> {
  const examine = createFieldExaminer(sources);
  const results: Result[] = [];
  let failure: FailedField | null = null;
  const read = { scorable: 0, withTruth: 0 };
  try {
    for (const field of planned) {
      const startedAt = performance.now();
      const found = await examine(field);
      if (found.kind === 'scorable') {
        read.scorable += 1;
        if (found.fields.truth.some(Number.isFinite)) read.withTruth += 1;
        results.push(rule.scored(field, found, startedAt));
        continue;
      }
      if (rule.failsLead(found)) failure ??= found;
      results.push(rule.failed(field, found, startedAt));
    }
  } catch (error) {
    if (failure === null) throw error;
  }
  if (failure === null && read.scorable > 0 && read.withTruth === 0)
    throw upstreamError(
      sources.truth.name,
      `its fields of ${sources.validTime.toISOString()} hold no value at all.`,
    );
  return { results, failure };
}

/** Reads and gates fields. A forecast that lacks the time lacks it for every field, so nothing more is read then. */
function createFieldExaminer(
  sources: FieldSources,
): (field: PlannedField) => Promise<GatedField | FailedField> {
  const read = createComparedFieldReader(sources);
  let withoutTime: FailedField | undefined;
  return async (field) => {
    if (withoutTime !== undefined) return withoutTime;
    let fields: ComparedFields;
    try {
      fields = await read(field);
    } catch (error) {
      const check = failedCheckOf(error);
      if (check === null) throw error;
      const unread: FailedField = { kind: 'unread', check, error };
      if (check === 'missing_time') withoutTime = unread;
      return unread;
    }
    return gateField(field, fields);
  };
}
