import type { ObservedSpan } from '#facts/observed-span';
import type { SpanSink } from '#exporters/export-report';
import { BatchFeed } from '#processor/batch-feed';
import { deliverBatch, type DeliveryContext } from '#processor/deliver-batch';
import type { DropReason } from '#processor/span-queue';
import type { Spool, SpoolOptions } from '../spool.ts';
import { recoverSpool } from './recover-spool.ts';
import { listSegments } from '../segments/segment-files.ts';
import {
  claimFolder,
  listFolders,
  removeFolder,
  quarantine,
  UNREADABLE,
  type SpoolFolder,
} from '../spool-folder.ts';

/** What taking over the spools of dead processes needs. */
export interface AdoptionOptions extends Omit<SpoolOptions, 'emitter' | 'listener' | 'directory'> {
  /** Where all spools of this machine lie that go to the same database. */
  readonly root: string;
  readonly sink: SpanSink;
  readonly delivery: DeliveryContext;
  readonly maxBatchSize: number;
  /** Hears of each step that was closed. */
  readonly onClosed: (closings: readonly ObservedSpan[]) => void;
  /** Hears of records that were damaged. */
  readonly onDropped: (reason: DropReason, records: number) => void;
  readonly onProblem: (message: string) => void;
}

/** What came of looking after the spools of others. */
export interface Adopted {
  readonly spools: number;
  readonly records: number;
  readonly closedSteps: number;
}

/** Nobody had left anything. */
export const NOTHING_ADOPTED: Adopted = { spools: 0, records: 0, closedSteps: 0 };

/**
 * Crash recovery: adopts every spool whose process is dead, one after the other. Closes its open steps with synthetic
 * ends, delivers its records to the sink, and removes it. A spool that cannot be delivered stays for the next call; its
 * error goes to `onProblem`.
 *
 * @returns how many spools, records and closed steps were delivered
 *
 * @example
 * ```ts
 * import { adoptSpools, type AdoptionOptions } from 'barograph';
 *
 * export async function adoptAll(options: AdoptionOptions): Promise<void> {
 *   const { spools, records, closedSteps } = await adoptSpools(options);
 *   console.log(`${spools} spools, ${records} records, ${closedSteps} steps closed as abandoned`);
 * }
 * ```
 */
export async function adoptSpools(options: AdoptionOptions): Promise<Adopted> {
  let adopted = NOTHING_ADOPTED;
  for (const name of await listFolders(options.root)) {
    if (options.delivery.isStopped()) break;
    if (name.endsWith(UNREADABLE)) continue;
    const folder = await claimFolder(options.root, name).catch(() => null);
    if (folder === null) continue;
    try {
      adopted = sum(adopted, await adopt(folder, options));
    } catch (error) {
      options.onProblem(`A spool could not be taken over, it stays in ${folder.directory}: ${String(error)}`);
    } finally {
      await folder.lock.release();
    }
  }
  return adopted;
}

async function adopt(folder: SpoolFolder, options: AdoptionOptions): Promise<Adopted> {
  const { directory } = folder;
  const listener = { dropped: options.onDropped, added: () => undefined };
  const inherited = await recoverSpool({ ...options, directory, listener });
  if (inherited === null) return letGo(folder, options);
  const { spool, closings } = inherited;
  if (closings.length > 0) options.onClosed(closings);
  try {
    const records = await drain(spool, folder, options);
    spool.close();
    if (records !== null) await removeFolder(folder);
    return { spools: records === null ? 0 : 1, records: records ?? 0, closedSteps: closings.length };
  } finally {
    spool.close();
  }
}

/** A folder in which no record can be read: an empty one goes, another is for a person to look at. */
async function letGo(folder: SpoolFolder, { onProblem }: AdoptionOptions): Promise<Adopted> {
  if (listSegments(folder.directory).every(({ bytes }) => bytes === 0)) await removeFolder(folder);
  else onProblem(`No record can be read in ${await quarantine(folder)}; it was put aside.`);
  return NOTHING_ADOPTED;
}

/** Delivers all records and the last word of the emitter. @returns null when it was given up before the end */
async function drain(spool: Spool, folder: SpoolFolder, options: AdoptionOptions): Promise<number | null> {
  const { delivery, maxBatchSize, sink } = options;
  const feed = new BatchFeed(spool, sink, maxBatchSize);
  let records = 0;
  while (spool.size > 0 || feed.isAhead) {
    const batch = await feed.next();
    // It cannot be read now; who looks again in a minute may be able to.
    if (batch.isHeldUp) return null;
    if (batch.spans.length > 0) {
      const delivered = await deliverBatch(batch, delivery);
      if (delivered.kind === 'given_up' || !(await folder.lock.touch())) return null;
      if (delivered.rejected > 0) options.onDropped('rejected', delivered.rejected);
    }
    records += batch.spans.length;
    feed.settle();
  }
  if (spool.damages > 0)
    options.onProblem(`${spool.damages} stretches of ${folder.directory} held no record.`);
  if (spool.isUnused) return 0;
  const account = (): ReturnType<Spool['account']> => spool.account(true);
  const last = await deliverBatch({ spans: [], queuedAt: 0, account }, delivery);
  return last.kind === 'given_up' ? null : records;
}

const sum = (a: Adopted, b: Adopted): Adopted => ({
  spools: a.spools + b.spools,
  records: a.records + b.records,
  closedSteps: a.closedSteps + b.closedSteps,
});
