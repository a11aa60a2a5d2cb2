import { createHash } from 'node:crypto';
import type { GridStore } from '#grids';
import type { InputRole, ScoreType, StoreKind } from '#semconv';
import type { ComponentScore } from './component-score.ts';
import { DAY1_FIELDS, fieldKey, hasField, sharedPlannedFields, splitByPresence } from './field-plan.ts';
import type { FieldDigests, FieldSources } from './fields-at.ts';
import { scoreDay1Lead } from './score-day1.ts';
import { scoreEra5Lead } from './score-era5-lead.ts';

/**
 * Version of the rules by which fields become scores. Every change that gives another number for the same fields raises it, so that
 * a comparison with recorded scores can tell a change of rules from a change of data.
 */
export const SCORER_VERSION = '1';

/** One of the stores that a score was made from. Its names are those of the recorded attribute. */
export interface ScoreInput {
  readonly role: InputRole;
  readonly kind: StoreKind;
  /** Without host, user, query and folders. */
  readonly address: string | null;
  /** Of the digests of all fields that were read of it; null where the store knows none. */
  readonly digest: string | null;
  /** Experiment version of ERA5 at the valid time. */
  readonly expver: string | null;
}

interface ScoredFields {
  readonly truthRole: 'truth' | 'analysis';
  readonly components: readonly ComponentScore[];
}

/** Describes the stores that a lead was scored with, for its record. */
export async function describeInputs(
  { forecast, truth, reference, climatology, validTime }: FieldSources,
  { truthRole, components }: ScoredFields,
): Promise<readonly ScoreInput[]> {
  const describe = async (
    role: InputRole,
    store: GridStore,
    digestOf: keyof FieldDigests,
  ): Promise<ScoreInput> => ({
    role,
    kind: store.inputs?.kind ?? 'program',
    address: store.inputs?.address ?? null,
    digest: digestOfFields(components, digestOf),
    // A miner may write what it likes there, and as much as it likes.
    expver: role === 'forecast' ? null : ((await store.inputs?.expverAt(validTime)) ?? null),
  });
  return Promise.all([
    describe('forecast', forecast, 'forecast'),
    describe(truthRole, truth.store, 'truth'),
    ...(reference === null ? [] : [describe('reference', reference.store, 'reference')]),
    ...(climatology === null ? [] : [describe('climatology', climatology.store, 'climatology')]),
  ]);
}

/** One digest of the digests of the fields, in the order of their names. */
function digestOfFields(components: readonly ComponentScore[], of: keyof FieldDigests): string | null {
  const lines = components.flatMap(({ field, digests }) => {
    const digest = digests?.[of];
    return digest == null ? [] : [`${fieldKey(field)} ${digest}\n`];
  });
  if (lines.length === 0) return null;
  return createHash('sha256').update(lines.sort().join('')).digest('hex');
}

/** The scores of a lead, whoever asks for them. */
export interface RescoredLead {
  /** Null where the lead has no score. */
  readonly score: number | null;
  readonly components: readonly ComponentScore[];
  readonly inputs: readonly ScoreInput[];
}

/** Scores a lead by the rules of the steps, without a run. */
export async function rescoreLead(
  scoreType: ScoreType,
  sources: FieldSources,
  truthRole: ScoredFields['truthRole'],
): Promise<RescoredLead> {
  const { score, components } = await (scoreType === 'era5' ? rescoreEra5(sources) : rescoreDay1(sources));
  return { score, components, inputs: await describeInputs(sources, { truthRole, components }) };
}

type Rescored = Pick<RescoredLead, 'score' | 'components'>;

async function rescoreEra5(sources: FieldSources): Promise<Rescored> {
  const { truth, climatology, forecast } = sources;
  const others = climatology === null ? [] : [climatology.store];
  const { present } = splitByPresence(forecast, sharedPlannedFields(truth.store, ...others));
  return scoreEra5Lead(sources, present);
}

async function rescoreDay1(sources: FieldSources): Promise<Rescored> {
  const expected = DAY1_FIELDS.filter((field) => hasField(sources.truth.store, field));
  const { outcome, components } = await scoreDay1Lead(sources, splitByPresence(sources.forecast, expected));
  const isScored = components.some(({ scores }) => scores !== null);
  return { score: isScored && outcome.kind === 'scored' ? outcome.score : null, components };
}
