import type { Pool } from 'pg';
import { findHeldPartitions, LONGEST_RUN_DAYS } from '#maintenance/maintenance';
import type { RetentionRound } from '#recorder/recording';
import type { Retention } from '#semconv';
import { printableText } from '#semconv/printable-text';
import type { Output } from './output.ts';

type HeldPartition = RetentionRound['held'][number];
type HoldingRun = HeldPartition['runs'][number];

const MAX_PARTITIONS = 5;
const MAX_RUNS = 3;

/** The first of many, and the number of the others. */
function enumerate<Item>(items: readonly Item[], describe: (item: Item) => string, limit: number): string {
  const named = items.slice(0, limit).map(describe);
  return [...named, ...(items.length > limit ? [`and ${items.length - limit} more`] : [])].join(', ');
}

const describeRun = ({ runId, validatorHotkey, status }: HoldingRun): string =>
  `run ${runId} of ${printableText(validatorHotkey)} (${status ?? 'no status'})`;

const describePartition = ({ name, expiredAt, runs }: HeldPartition): string =>
  `${name} since ${new Date(expiredAt / 1000).toISOString().slice(0, 10)} for ${enumerate(runs, describeRun, MAX_RUNS)}`;

/** Names the partitions that are kept, the one that is kept longest first, since when, and for which runs. */
const describeHeldPartitions = (held: readonly HeldPartition[]): string =>
  enumerate(
    held.toSorted((a, b) => a.expiredAt - b.expiredAt),
    describePartition,
    MAX_PARTITIONS,
  );

/** What a round of retention did, as text. */
function describeRetention({ dropped, held }: RetentionRound): string {
  const gone =
    dropped.length === 0 ? [] : [`Retention dropped ${enumerate(dropped, String, MAX_PARTITIONS)}.`];
  const kept =
    held.length === 0
      ? []
      : [`Retention keeps what runs that have not ended still need: ${describeHeldPartitions(held)}.`];
  return [...gone, ...kept].join('\n');
}

/** Prints rounds of retention, and a round that is equal to the one before only once. */
export function reportRetention(output: Pick<Output, 'problem'>): (round: RetentionRound) => void {
  let last = '';
  return (round) => {
    const text = describeRetention(round);
    if (text !== last) output.problem(text);
    last = text;
  };
}

const REMEDY =
  `began more than ${LONGEST_RUN_DAYS} days ago, longer than any run lasts: if nothing works on it any more, end it as ` +
  '"Retention" in docs/operating.md shows';

/**
 * Checks whether retention keeps partitions for runs that have not ended. That is usual while such a run is younger than
 * any run lasts, and needs a person afterwards.
 */
export async function checkRetention(
  pool: Pool,
  clock: { readonly retention: Retention; readonly now: Date },
): Promise<{ readonly ok: boolean; readonly found: string }> {
  if (Object.keys(clock.retention).length === 0)
    return { ok: true, found: 'nothing is ever dropped; BAROGRAPH_RETENTION_DAYS is not set' };
  const held = await findHeldPartitions(pool, clock);
  if (held.length === 0)
    return { ok: true, found: 'no partition is kept for longer than BAROGRAPH_RETENTION_DAYS' };
  const kept = `kept until their runs end: ${describeHeldPartitions(held)}`;
  const overdue = held.flatMap(({ runs }) => runs).find(({ isOverdue }) => isOverdue);
  if (overdue === undefined) return { ok: true, found: kept };
  return { ok: false, found: `${kept}; ${describeRun(overdue)} ${REMEDY}` };
}
