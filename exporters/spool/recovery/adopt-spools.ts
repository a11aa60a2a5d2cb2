import { join } from 'node:path';
import type { ObservedSpan } from '#facts/observed-span';
import { registrationOf } from '#exporters/emitter-report';
import type { SpanSink } from '#exporters/export-report';
import { BatchFeed } from '#processor/batch-feed';
import { deliverBatch, type DeliveryContext } from '#processor/deliver-batch';
import type { DropReason } from '#processor/span-queue';
import { LockWatch } from '#processes/lock-watch';
import type { Spool, SpoolOptions } from '../spool.ts';
import { UnknownBooksError } from '../books/books-file.ts';
import { recoverSpool } from './recover-spool.ts';
import { listSegments } from '../segments/segment-files.ts';
import {
  claimOrphan,
  homeOf,
  listFolders,
  removeFolder,
  retireFolder,
  returnFolder,
  quarantine,
  successorOf,
  UNREADABLE,
  type SpoolFolder,
} from '../spool-folder.ts';
import { errorCodeOf } from '../segments/error-code.ts';

/** Collaborators of an adoption. */
export interface AdoptionOptions extends Omit<SpoolOptions, 'emitter' | 'listener' | 'directory'> {
  /** The directory of all spools on this machine for the same database. */
  readonly root: string;
  readonly sink: SpanSink;
  readonly delivery: DeliveryContext;
  readonly maxBatchSize: number;
  /** Called with the synthetic ends of each recovered spool. */
  readonly onClosed: (closings: readonly ObservedSpan[]) => void;
  /** Called for records that were damaged or rejected. */
  readonly onDropped: (reason: DropReason, records: number) => void;
  readonly onProblem: (message: string) => void;
}

/** Totals of an adoption. */
export interface Adopted {
  readonly spools: number;
  readonly records: number;
  readonly closedSteps: number;
}

/** The totals when no spool was adopted. */
export const NOTHING_ADOPTED: Adopted = { spools: 0, records: 0, closedSteps: 0 };

/**
 * Adopts every spool whose process is dead: closes its open steps, delivers its records, and removes it. Sequential; a spool
 * that cannot be delivered now stays for the next call. The file lock ensures that one process alone adopts a spool.
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
export async function adoptSpools(options: AdoptionOptions, watch = new LockWatch()): Promise<Adopted> {
  let adopted = NOTHING_ADOPTED;
  const refused = (path: string) => (error: unknown) => {
    options.onProblem(
      `What waits in ${path} cannot be adopted by this process: ${String(error)}. It stays there.`,
    );
  };
  for (const name of (await listFolders(options.root).catch(refused(options.root))) ?? []) {
    if (options.delivery.isStopped()) break;
    if (name.endsWith(UNREADABLE)) continue;
    const claimed = claimOrphan(options.root, name, watch).catch(nullIfGone);
    const folder = (await claimed.catch(refused(join(options.root, name)))) ?? null;
    if (folder === null) continue;
    try {
      adopted = sum(adopted, await adopt(folder, options));
    } catch (error) {
      options.onProblem(
        `A spool could not be adopted; it stays in ${homeOf(folder.directory)}: ${String(error)}`,
      );
    } finally {
      await returnFolder(folder);
    }
  }
  return adopted;
}

/**
 * A repeated adoption. It remembers the heartbeats of processes that it cannot look up, those of another boot or pid namespace,
 * and reports each problem once.
 */
export function createAdopter(options: AdoptionOptions): () => Promise<Adopted> {
  const watch = new LockWatch();
  const reported = new Set<string>();
  const onProblem = (message: string): void => {
    if (reported.has(message)) return;
    reported.add(message);
    options.onProblem(message);
  };
  return () => adoptSpools({ ...options, onProblem }, watch);
}

async function adopt(folder: SpoolFolder, options: AdoptionOptions): Promise<Adopted> {
  const { directory } = folder;
  const listener = { dropped: options.onDropped, added: () => undefined };
  const recovered = await recoverSpool({ ...options, directory, listener }).catch(toUnknownFormat);
  if (recovered === null || typeof recovered === 'string')
    return removeOrQuarantine(folder, { ...options, reason: recovered });
  const { spool, closings, openEnd } = recovered;
  if (closings.length > 0) options.onClosed(closings);
  try {
    const records = await drain(spool, folder, options);
    spool.close();
    if (records !== null) {
      const problem = await retireFolder(folder, spool.unreadable);
      const openBooks = openEnd === null ? null : `${openEnd} Its books stay open.`;
      if (problem !== null) options.onProblem(openBooks === null ? problem : `${problem} ${openBooks}`);
      else if (openBooks !== null) options.onProblem(`${homeOf(directory)} was delivered. ${openBooks}`);
    }
    return { spools: records === null ? 0 : 1, records: records ?? 0, closedSteps: closings.length };
  } finally {
    spool.close();
  }
}

/** Another process may remove a folder, or rename it, while it is claimed. */
function nullIfGone(error: unknown): null {
  if (errorCodeOf(error) === 'ENOENT') return null;
  throw error;
}

/** Why the files must be left as they are: a newer version wrote them. */
function toUnknownFormat(error: unknown): string {
  if (error instanceof UnknownBooksError) return error.message;
  throw error;
}

/** Handles a folder whose emitter is unknown: removes it when it is empty, else sets it aside for inspection. */
async function removeOrQuarantine(
  folder: SpoolFolder,
  { onProblem, reason }: AdoptionOptions & { readonly reason: string | null },
): Promise<Adopted> {
  const isEmpty = listSegments(folder.directory).every(({ bytes }) => bytes === 0);
  if (isEmpty && reason === null) await removeFolder(folder);
  else onProblem(await quarantine(folder, reason ?? 'neither books nor a record say whose they are'));
  return NOTHING_ADOPTED;
}

/** Delivers all records, then the final account of the emitter. @returns records delivered; null when it was aborted */
async function drain(spool: Spool, folder: SpoolFolder, options: AdoptionOptions): Promise<number | null> {
  const { delivery, maxBatchSize, sink } = options;
  const feed = new BatchFeed(spool, sink, maxBatchSize);
  let records = 0;
  while (spool.size > 0 || feed.isAhead) {
    const batch = await feed.next();
    // A transient read error: the next adoption tries again.
    if (batch.isHeldUp) return null;
    if (batch.spans.length > 0) {
      const delivered = await deliverBatch(batch, delivery);
      if (delivered.kind === 'given_up' || !(await folder.lock.touch())) return null;
      if (delivered.rejected > 0) options.onDropped('rejected', delivered.rejected);
    }
    records += batch.spans.length;
    feed.settle();
  }
  if (spool.isIdle) return 0;
  const account = spool.account(true);
  const successor = successorOf(folder.directory);
  // What it recorded after that may be lost: it is in the books before these look whole.
  const last = successor === null ? [account] : [registrationOf(account, successor), account];
  for (const one of last) {
    const delivered = await deliverBatch({ spans: [], queuedAt: 0, account: () => one }, delivery);
    if (delivered.kind === 'given_up') return null;
  }
  return records;
}

const sum = (a: Adopted, b: Adopted): Adopted => ({
  spools: a.spools + b.spools,
  records: a.records + b.records,
  closedSteps: a.closedSteps + b.closedSteps,
});
