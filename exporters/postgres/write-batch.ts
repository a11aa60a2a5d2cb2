import type { ClientBase } from 'pg';
import type { CommittedMinerStats } from '#facts/miner-stats';
import { validateTimestamps } from '#facts/clock-range';
import type { ObservedSpan } from '#facts/observed-span';
import type { EpochMicros, StepFact } from '#facts/step-fact';
import type { EmitterAccount } from '../emitter-report.ts';
import { type Batch, rejectFacts, toBatch } from './log/batch.ts';
import { rejectLateSpans } from './log/late-spans.ts';
import { COMPONENT_PARTITIONS, type Partitions, STEP_PARTITIONS } from './log/partitions.ts';
import { ofMiners, recorded, type RecordedFact } from './log/recorded-fact.ts';
import { writeBooks } from './books/emitter-books.ts';
import { type ReceivedSpan, writeSenderBooks } from './books/sender-books.ts';
import { upsertClosings, replaceClosings } from './log/closings.ts';
import { writeComponentScores } from './log/component-scores.ts';
import { readKnownRows } from './log/known-rows.ts';
import { insertDeadLetters } from './dead-letters/dead-letters.ts';
import { countEmitters } from './books/emitters.ts';
import { rankForecasts, writeForecasts } from './projections/tables/forecast-stats.ts';
import { writeJobLogs } from './log/job-logs.ts';
import { factChange } from './projections/miner-changes.ts';
import { writeMinerStats } from './projections/tables/miner-stats.ts';
import { readMinerStats } from './queries/read-miner-stats.ts';
import { writeResponses } from './projections/tables/responses.ts';
import { writeRuns } from './projections/tables/runs.ts';
import { appendFinished, removeRunning, insertRunning } from './log/steps.ts';
import { lockValidators } from './log/validators.ts';

/** What a committed batch changed: each finished step once, and the committed rows of `miner_stats`. */
export interface Committed {
  readonly steps: readonly StepFact[];
  readonly minerStats: readonly CommittedMinerStats[];
  /** Rows written, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Rejected spans, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
}

/** The part of a batch that was new to the log. */
interface Logged {
  readonly finished: readonly RecordedFact[];
  readonly running: readonly RecordedFact[];
  /** Finished steps that had a running row. */
  readonly known: ReadonlySet<RecordedFact>;
  /** The closing (synthetic end) that each of these finished steps replaced. */
  readonly replaced: ReadonlyMap<RecordedFact, RecordedFact>;
}

/** What accompanies a batch. */
export interface WriteBatchOptions {
  /** The account that the emitter sends with its spans, for the books. */
  readonly account?: EmitterAccount | undefined;
  /** False for spans that come once more, as those of dead letters: their numbers were counted when they came first. */
  readonly isFirstHand?: boolean;
}

/**
 * Writes one batch; the caller opens and commits the transaction. The append to the log is the deduplication: only
 * facts that are new to it reach the folds, so that a redelivered span does not count twice.
 */
export async function writeBatch(
  client: ClientBase,
  batch: Batch,
  partitions: Partitions,
  { account, isFirstHand = true }: WriteBatchOptions = {},
): Promise<Committed> {
  await insertDeadLetters(client, batch.rejected);
  // Lock order: attaching a partition locks the table `validators`, so it comes before the row locks on validators.
  await ensurePartitions(client, batch.ended, partitions);
  const ids = await resolveValidatorIds(client, batch, account);
  const facts = {
    ended: toRecordedFacts(batch.ended, ids),
    started: toRecordedFacts(batch.started, ids),
    closings: toRecordedFacts(batch.closings, ids),
  };
  const logged = await writeLog(client, facts);
  const { counts, alsoChanged } = await writeFolds(client, logged);
  if (account !== undefined)
    await writeBooks(client, account, { validatorIds: ids, newSpans: countNewSpans(logged) });
  if (isFirstHand) await writeSenderBooks(client, receivedSpans(batch, logged));
  return {
    steps: logged.finished.map(({ fact }) => fact),
    // Every miner of the batch, changed or not: the reply to an earlier commit of the same batch may have been lost.
    minerStats: await readMinerStats(client, [
      ...ofMiners([...facts.ended, ...facts.started]),
      ...alsoChanged,
    ]),
    rows: counts,
    rejected: countReasons(batch),
  };
}

function receivedSpans({ sources, rejected }: Batch, logged: Logged): readonly ReceivedSpan[] {
  const { finished, running, known } = logged;
  const fresh = new Set([...finished, ...running].filter((one) => !known.has(one)).map(({ fact }) => fact));
  return [
    ...sources.map(({ span, fact }) => ({ span, isNew: fresh.has(fact) })),
    ...rejected.map(({ span }) => ({ span, isNew: false })),
  ];
}

const countNewSpans = ({ finished, running }: Logged): number =>
  [...finished, ...running].filter(({ fact }) => fact.closing === null).length;

function countReasons({ rejected }: Batch): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of rejected) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

async function resolveValidatorIds(
  client: ClientBase,
  { ended, started }: Batch,
  account: EmitterAccount | undefined,
): Promise<ReadonlyMap<string, number>> {
  const hotkeys = [
    ...[...ended, ...started].map(({ validatorHotkey }) => validatorHotkey),
    ...(account === undefined
      ? []
      : [account, ...account.runs].map(({ validatorHotkey }) => validatorHotkey)),
  ];
  return hotkeys.length === 0 ? new Map() : lockValidators(client, hotkeys);
}

const toRecordedFacts = (facts: readonly StepFact[], ids: ReadonlyMap<string, number>): RecordedFact[] =>
  facts.flatMap((fact) => {
    const validatorId = ids.get(fact.validatorHotkey);
    return validatorId === undefined ? [] : [recorded(validatorId, fact)];
  });

async function ensurePartitions(client: ClientBase, ended: readonly StepFact[], partitions: Partitions) {
  const validTimes = ended.flatMap(({ componentScores }) =>
    componentScores.map(({ validTime }) => validTime),
  );
  await partitions.ensure(
    client,
    STEP_PARTITIONS,
    ended.map(({ startedAt }) => startedAt),
  );
  await partitions.ensure(client, COMPONENT_PARTITIONS, validTimes);
}

async function writeLog(
  client: ClientBase,
  facts: Readonly<Record<'ended' | 'started' | 'closings', readonly RecordedFact[]>>,
): Promise<Logged> {
  const rows = await readKnownRows(client, facts.ended, facts.started);
  const replaced = await replaceClosings(client, rows.closings);
  await upsertClosings(client, facts.closings);
  const finished = await appendFinished(client, facts.ended);
  const known = new Set(await removeRunning(client, finished, rows.running));
  const running = await insertRunning(client, facts.started, rows.ended);
  await writeComponentScores(client, finished);
  return { finished, running, known, replaced };
}

async function writeFolds(client: ClientBase, { finished, running, known, replaced }: Logged) {
  const facts = [...finished, ...running];
  const ofMiner = ofMiners(facts);
  const { written: runRows, runs } = await writeRuns(client, facts);
  const responses = await writeResponses(client, ofMiner, runs);
  const { changes, written: forecastRows } = await writeForecasts(client, ofMiner, runs);
  await rankForecasts(client, changes);
  const minerChanges = ofMiner.map((item) => factChange(item, item.fact.phase === 'ended' ? 1 : 0));
  const reverted = ofMiners([...replaced.values()]).map((item) => factChange(item, -1));
  const { written, reranked } = await writeMinerStats(client, [...reverted, ...minerChanges], changes);
  const logs = await writeJobLogs(client, finished);
  await countEmitters(client, facts, { known, replaced });
  return {
    alsoChanged: [...reranked, ...changes.map(({ item }) => item)],
    counts: {
      weather_forecast_steps: finished.length,
      weather_forecast_component_scores: finished.reduce(
        (sum, { fact }) => sum + fact.componentScores.length,
        0,
      ),
      weather_forecast_runs: runRows,
      weather_miner_responses: responses,
      weather_forecast_stats: forecastRows,
      miner_stats: written,
      validator_job_logs: logs,
    },
  };
}

/** The parameters of recording besides the spans. */
export interface RecordSpansOptions extends WriteBatchOptions {
  readonly partitions: Partitions;
  /** Reference clock for `validateTimestamps`. */
  readonly now: EpochMicros;
}

/**
 * Records spans that come once more; the caller opens and commits the transaction. A span that cannot be recorded becomes a dead letter.
 */
export async function recordSpans(
  client: ClientBase,
  spans: readonly ObservedSpan[],
  options: RecordSpansOptions,
): Promise<Committed> {
  return recordBatch(client, await toBatch(spans), { ...options, isFirstHand: false });
}

/** `recordSpans` for spans that are translated already. */
export async function recordBatch(
  client: ClientBase,
  translated: Batch,
  { partitions, now, ...options }: RecordSpansOptions,
): Promise<Committed> {
  const valid = rejectFacts(translated, (fact) => validateTimestamps(fact, now));
  const { batch, recheck } = await rejectLateSpans(client, valid, now);
  const committed = await writeBatch(client, batch, partitions, options);
  await recheck();
  return committed;
}
