import type { Pool } from 'pg';
import { CategorizedError } from '#semconv';
import { printableText } from '#semconv/printable-text';

/** What a command is about. Runs of several validators may have one number, and processes one name. */
export interface Subject {
  /** As it stands in a sentence: `run 7`. */
  readonly name: string;
  /** SQL condition that `validator` has it; `$1` is the value. */
  readonly condition: string;
  readonly value: number | string;
}

/** A run in the log or in its table; retention may have dropped the log, and a person a row. */
export const runSubject = (runId: number): Subject => ({
  name: `run ${runId}`,
  condition: `
    exists (select from weather_forecast_runs as run where (run.validator_id, run.id) = (validator.id, $1::bigint))
    or exists (select from weather_forecast_steps as step where (step.validator_id, step.run_id) = (validator.id, $1))`,
  value: runId,
});

/** The dead letters of a run, of which nothing else may be recorded. */
export const deadLetterSubject = (runId: number): Subject => ({
  name: `dead letters of run ${runId}`,
  condition: `
    exists (select from dead_letter_spans as letter
      where letter.validator_hotkey = validator.hotkey and letter.run_id = $1::bigint)`,
  value: runId,
});

/** A process by its `service.instance.id`, which another program may give twice. */
export const processSubject = (instanceId: string): Subject => ({
  name: `process ${instanceId}`,
  condition: `
    exists (select from emitters as emitter
      where (emitter.validator_id, emitter.instance_id) = (validator.id, $1::text))`,
  value: instanceId,
});

interface Candidate {
  /** Null for a validator of which there are only dead letters. */
  readonly id: number | null;
  readonly hotkey: string;
  readonly isMeant: boolean;
}

const candidatesOf = (condition: string): string => `
  select validator.id, validator.hotkey, ${condition} as "isMeant"
  from (
    select id, hotkey from validators
    union all
    select distinct null::integer, letter.validator_hotkey from dead_letter_spans as letter
    where not exists (select from validators where hotkey = letter.validator_hotkey)
      and letter.validator_hotkey is not null
  ) as validator
  order by validator.id nulls last, validator.hotkey`;

/**
 * Resolves which validator a person means, by number, hotkey or the unique beginning of one; without a name the only one
 * that has the subject.
 *
 * @param wanted value of `--validator`
 * @returns its hotkey; null when none was named and none has the subject, or there is no subject
 * @throws CategorizedError with the choices when the name fits none or several, or several have the subject
 */
export async function resolveValidator(
  pool: Pool,
  wanted: string | undefined,
  subject: Subject | null,
): Promise<string | null> {
  if (wanted === undefined && subject === null) return null;
  const { rows } = await pool.query<Candidate>(
    candidatesOf(subject === null ? 'false' : `(${subject.condition})`),
    subject === null ? [] : [subject.value],
  );
  if (wanted !== undefined) return namedBy(wanted, rows).hotkey;
  const meant = rows.filter(({ isMeant }) => isMeant);
  if (meant.length < 2) return meant[0]?.hotkey ?? null;
  throw new CategorizedError(
    'validator_internal',
    `${meant.length} validators have ${subject?.name ?? ''}: ${listOf(meant)}. Add ${optionsOf(meant)}.`,
  );
}

/** A number goes before a hotkey, and a whole hotkey before the beginning of others. */
function namedBy(wanted: string, candidates: readonly Candidate[]): Candidate {
  const exact =
    candidates.find(({ id }) => String(id) === wanted) ?? candidates.find(({ hotkey }) => hotkey === wanted);
  if (exact !== undefined) return exact;
  const found = candidates.filter(({ hotkey }) => hotkey.startsWith(wanted));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (candidates.length === 0) {
    throw new CategorizedError('not_found', 'No validator has recorded anything in this database yet.');
  }
  const [problem, choices] =
    found.length === 0
      ? [`No validator has the number or hotkey ${printable(wanted)}`, candidates]
      : [`${found.length} hotkeys begin with ${printable(wanted)}`, found];
  throw new CategorizedError(
    'not_found',
    `${problem}. Recorded: ${listOf(choices)}. Use ${optionsOf(choices)}.`,
  );
}

/** Choices that are listed; a sender of spans can name any number of validators. */
const MAX_LISTED = 10;
/** Longer than any hotkey of a network; other programs choose theirs freely. */
const MAX_LENGTH = 64;

const printable = (text: string): string => printableText(text, MAX_LENGTH);

function listOf(validators: readonly Pick<Candidate, 'id' | 'hotkey'>[]): string {
  const texts = validators
    .slice(0, MAX_LISTED)
    .map(({ id, hotkey }) => `${id ?? 'dead letters only'} (${printable(hotkey)})`);
  const more = validators.length - texts.length;
  return [...texts, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

const optionsOf = (validators: readonly Candidate[]): string =>
  validators
    .slice(0, MAX_LISTED)
    .map(({ id, hotkey }) => `--validator ${id ?? printable(hotkey)}`)
    .join(' or ');

/** The recorded validators, `1 (5Grw…), 2 (5Fpy…)`; empty when there are none. */
export async function describeValidators(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: number; hotkey: string }>(
    'select id, hotkey from validators order by id',
  );
  return listOf(rows);
}
