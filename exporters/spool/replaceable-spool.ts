import { randomUUID } from 'node:crypto';
import type { ObservedSpan } from '#facts/observed-span';
import type { Pushed, QueueListener, SpanBatch, SpanQueue } from '#processor/span-queue';
import { registrationOf, type EmitterAccount } from '../emitter-report.ts';
import type { SpanSink } from '../export-report.ts';
import { withinMillis } from '#lifecycle/within-millis';
import type { Emitter } from './books/ledger.ts';
import { keptText, lossText, rescueSpool, type RescuedSpool } from './recovery/recover-spool.ts';
import type { SpoolLeftover } from './recovery/recovered-state.ts';
import { SenderShares, type Sender } from './sender-shares.ts';
import { Spool, type Received, type SpoolOptions, type SpoolRemainder } from './spool.ts';
import { claimFolder, rescueName, retireFolder, successorOf, type SpoolFolder } from './spool-folder.ts';

/** Collaborators of the spool of a process. */
export interface ReplaceableSpoolOptions {
  readonly settings: Pick<SpoolOptions, 'segmentBytes' | 'limitBytes' | 'durability'>;
  /** The directory of all spools on this machine for the same database. */
  readonly root: string;
  readonly emitter: Emitter;
  readonly listener: QueueListener;
  /** Commits the last account of a spool. */
  readonly sink: SpanSink;
  readonly onProblem: (message: string) => void;
}

/** How long the database has to take the books of a new emitter, or what became of the old one, ms. */
const REGISTRATION_MILLIS = 500;

interface OwnSpool {
  readonly spool: Spool;
  readonly folder: SpoolFolder;
}

type Restamp = (resource: ObservedSpan['resource']) => ObservedSpan['resource'];

/**
 * The spool of a living process, which survives the loss of its folder: somebody deletes it, or another process takes this
 * one for dead. The process then goes on in a new folder as a new emitter (`service.instance.id`), because the books of the
 * old one belong to its adopter. What was not delivered is read again through the descriptors that are still open, and
 * delivered as what it was: records of the old emitter.
 */
export class ReplaceableSpool implements SpanQueue {
  readonly isDurable = true;
  readonly #options: ReplaceableSpoolOptions;
  #current: OwnSpool;
  /** Gives a span the new emitter; null as long as the first folder is held. */
  #restamp: Restamp | null = null;
  /** Undelivered records of lost folders, oldest first. */
  #rescued: readonly OwnSpool[] = [];
  /** Records that are being rescued. */
  #underRescue = 0;
  /** The spools of the batches in flight, oldest first. */
  readonly #taken: Spool[] = [];
  #failure: string | null = null;
  readonly #shares = new SenderShares();

  /** @param folder of the emitter, locked by this process */
  constructor(options: ReplaceableSpoolOptions, folder: SpoolFolder) {
    this.#options = options;
    this.#current = { folder, spool: new Spool({ ...this.#spoolOptions(folder), emitter: options.emitter }) };
  }

  get size(): number {
    return this.#all.reduce((sum, { spool }) => sum + spool.size, this.#underRescue);
  }

  get oldestQueuedAt(): number | null {
    return this.#current.spool.oldestQueuedAt;
  }

  /** Whether the current emitter is in no book. */
  get isIdle(): boolean {
    return this.#current.spool.isIdle;
  }

  /** Whether the disk refuses the books of the current emitter. */
  get isBookless(): boolean {
    return this.#current.spool.isBookless;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#all.reduce((sum, { spool }) => sum + spool.bytes, 0);
  }

  /** The account of the current emitter; see `Spool.account`. */
  account(isClosed = false): EmitterAccount {
    return this.#current.spool.account(isClosed);
  }

  /** A step that was running when its folder was lost ends as a step of its own emitter. */
  push(span: ObservedSpan, now: number): Pushed {
    const { spool } = this.#current;
    if (this.#restamp === null) return spool.push(span, now);
    const started = span.phase === 'ended' ? spool.startOf(span) : undefined;
    return spool.push({ ...span, resource: started?.resource ?? this.#restamp(span.resource) }, now);
  }

  /**
   * Takes spans of another program, all or none, and resolves when they are on the disk. They keep the instance that
   * their resource names, whatever becomes of this folder.
   *
   * @throws Error when they cannot be synced; they may be delivered all the same
   */
  async receive(
    spans: readonly ObservedSpan[],
    sender: Sender,
    now: number,
  ): Promise<Received | 'share_full'> {
    const { spool } = this.#current;
    if (!this.#shares.hasRoom(sender)) return 'share_full';
    const before = spool.bytes;
    const received = spool.receive(spans, now);
    if (received !== 'written') return received;
    this.#shares.add(spool, sender, Math.max(0, spool.bytes - before));
    this.#options.listener.added(spans.length);
    await spool.synced();
    return 'written';
  }

  flushNow(): void {
    this.#current.spool.flushNow();
  }

  async take(maxSpans: number): Promise<SpanBatch> {
    const { spool } = this.#rescued.find((rescued) => rescued.spool.size > 0) ?? this.#current;
    if (spool.size === 0) return { spans: [], queuedAt: 0, isHeldUp: true };
    const batch = await spool.take(maxSpans);
    if (batch.isHeldUp !== true) this.#taken.push(spool);
    return batch;
  }

  settle(): void {
    this.#taken.shift()?.settle();
  }

  /** Stops intake; the files are closed by `finish`. */
  close(): number {
    this.flushNow();
    return 0;
  }

  /** Renews the locks of the folders, and goes on in a new one when that of this process was lost. Calls must not overlap. */
  async keep(): Promise<void> {
    const { folder, spool } = this.#current;
    if (!(await folder.lock.touch()) || !spool.isInPlace)
      await this.#replace().catch((error: unknown) => this.#fail(error));
    for (const rescued of this.#rescued)
      if (!(await rescued.folder.lock.touch()) || !rescued.spool.isInPlace)
        await this.#rescueAgain(rescued).catch((error: unknown) => this.#fail(error));
  }

  /** Commits the last account of each lost emitter whose records are delivered, and removes its folder. */
  async finishRescued(signal?: AbortSignal): Promise<void> {
    for (const rescued of this.#rescued) {
      if (rescued.spool.size > 0 || this.#taken.includes(rescued.spool)) continue;
      if (!(await this.#closeRescued(rescued, signal))) continue;
      this.#forget(rescued);
      await this.#retire(rescued);
    }
  }

  /** Closes everything, and removes what is delivered. The rest is left to the next process. Never rejects. */
  async finish(): Promise<SpoolRemainder> {
    await this.keep().catch((error: unknown) => this.#fail(error));
    await this.finishRescued().catch((error: unknown) => this.#fail(error));
    const left = this.#rescued.map(({ spool }) => spool.remainder.records);
    for (const rescued of this.#rescued) {
      this.#forget(rescued);
      await rescued.folder.lock.release();
    }
    const { spool, folder } = this.#current;
    this.flushNow();
    // No other folder could be claimed, on a full disk for example.
    const lost = await this.#writeOff(spool);
    this.#drop(lost);
    spool.close();
    const remainder = { ...spool.remainder, records: spool.remainder.records - lost };
    const isDone = remainder.records === 0 && remainder.openSteps === 0 && folder.lock.isHeld();
    if (isDone && (spool.isIdle || (await this.#commitFinalAccount(spool))))
      await this.#retire({ spool, folder }).catch((error: unknown) => this.#fail(error));
    else await this.#leave({ spool, folder });
    return { ...remainder, records: left.reduce((sum, records) => sum + records, remainder.records) };
  }

  /** Leaves what is left to the next process, and tells of drops, which a full disk may have kept out of the books there. */
  async #leave({ spool, folder }: OwnSpool): Promise<void> {
    const account = spool.account();
    if (account.dropped.length > 0) await this.#commit(account).catch((error: unknown) => this.#fail(error));
    await folder.lock.release();
  }

  get #all(): readonly OwnSpool[] {
    return [...this.#rescued, this.#current];
  }

  #spoolOptions({ directory, lock }: SpoolFolder): Omit<SpoolOptions, 'emitter'> {
    const { settings, listener } = this.#options;
    return { ...settings, directory, listener, isHeld: () => lock.isHeld() };
  }

  /** Nothing changes until both folders are claimed: until then the descriptors of the lost one take the records. */
  async #replace(): Promise<void> {
    const emitter = { ...this.#options.emitter, instanceId: randomUUID(), epoch: randomUUID() };
    const lost = this.#current;
    const [folder, rescueFolder] = await Promise.all([
      this.#claim(emitter.instanceId),
      this.#claim(rescueName(emitter.instanceId)),
    ]);
    const spool = new Spool({ ...this.#spoolOptions(folder), emitter });
    // Its books are to exist before its first record, unless the database is away.
    await this.#tell(spool);
    // Nothing is awaited up to the rescue: no span falls in between.
    const left = lost.spool.surrender();
    spool.carryOver(left);
    this.#current = { spool, folder };
    this.#restamp = restampAs(emitter.instanceId);
    const rescued = await this.#rescue(lost, { left, folder: rescueFolder });
    await this.#tell(rescued.spool);
    this.#options.onProblem(lossText(lost.folder, { folder, emitter, ...rescued }));
  }

  /** The folder of records that were rescued was lost in its turn. */
  async #rescueAgain(lost: OwnSpool): Promise<void> {
    const successor = successorOf(lost.folder.directory) ?? this.#current.spool.account().instanceId;
    const folder = await this.#claim(rescueName(successor));
    const left = lost.spool.surrender();
    this.#rescued = this.#rescued.filter((other) => other !== lost);
    const rescued = await this.#rescue(lost, { left, folder });
    await this.#tell(rescued.spool);
    this.#options.onProblem(
      `The spool ${lost.folder.directory} of this process, with records of one that it had lost before, was removed or taken ` +
        `over as well. ${keptText(rescued)}`,
    );
  }

  /** Writes what is left of a lost spool to a folder, from which it is delivered before anything else. */
  async #rescue(
    lost: OwnSpool,
    { left, folder }: { readonly left: SpoolLeftover; readonly folder: SpoolFolder },
  ): Promise<RescuedSpool> {
    this.#underRescue += left.queued;
    try {
      const rescued = await rescueSpool(left, this.#spoolOptions(folder));
      // Batches in flight are delivered as well, so that there may be more to settle than was queued.
      this.#options.listener.added(rescued.spool.size + rescued.lost - left.queued);
      this.#drop(rescued.lost);
      this.#rescued = [...this.#rescued, { spool: rescued.spool, folder }];
      return rescued;
    } catch (error) {
      await folder.lock.release();
      this.#drop(left.queued);
      await this.#writeOff(lost.spool);
      throw error;
    } finally {
      this.#underRescue -= left.queued;
      lost.spool.close();
      await lost.folder.lock.release();
    }
  }

  /**
   * Tells the database which records there are, unless it is away: whoever took the folder over may have closed its books
   * before the last of them, and a folder can be deleted.
   */
  async #tell(spool: Spool): Promise<void> {
    if (spool.isIdle) return;
    const exported = this.#options.sink.export([], { account: spool.account() });
    await withinMillis(
      REGISTRATION_MILLIS,
      exported.catch(() => undefined),
    );
  }

  async #claim(name: string): Promise<SpoolFolder> {
    const folder = await claimFolder(this.#options.root, name);
    if (folder === null) throw new Error(`the folder ${name} is held by another process`);
    return folder;
  }

  #forget(rescued: OwnSpool): void {
    this.#rescued = this.#rescued.filter((other) => other !== rescued);
    rescued.spool.close();
  }

  #drop(records: number): void {
    if (records > 0) this.#options.listener.dropped('spool_lost', records);
  }

  /** Removes a folder of which all is delivered; what in it cannot be read is set aside and named. */
  async #retire({ spool, folder }: OwnSpool): Promise<void> {
    const problem = await retireFolder(folder, spool.unreadable);
    if (problem !== null) this.#options.onProblem(problem);
  }

  /** Enters into the books what is gone for good. @returns how many records */
  async #writeOff(spool: Spool): Promise<number> {
    const lost = spool.writeOffIfGone();
    if (lost === null || spool.isIdle) return 0;
    // Nobody adopts files that are gone: what they and a full disk cost is told now or never.
    if (!(await this.#commitFinalAccount(spool)))
      this.#options.onProblem(
        'The spool of this process is gone, and the database did not take its last books: they stay open over what is lost.',
      );
    return lost;
  }

  /** Nothing is closed before the books know under which id the process went on: what it recorded since may be lost. */
  async #closeRescued({ spool, folder }: OwnSpool, signal?: AbortSignal): Promise<boolean> {
    if (spool.isIdle) return true;
    const successor = successorOf(folder.directory);
    if (successor !== null && !(await this.#commit(registrationOf(spool.account(), successor), signal)))
      return false;
    return this.#commitFinalAccount(spool, signal);
  }

  #commitFinalAccount(spool: Spool, signal?: AbortSignal): Promise<boolean> {
    return this.#commit(spool.account(true), signal);
  }

  async #commit(account: EmitterAccount, signal?: AbortSignal): Promise<boolean> {
    const options = { account, ...(signal === undefined ? {} : { signal }) };
    return (await this.#options.sink.export([], options)).kind === 'written';
  }

  #fail(error: unknown): void {
    const failure = String(error);
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.#options.onProblem(`The spool could not be put in order: ${failure}.`);
  }
}

/** Spans share the resource of their SDK: it is copied once. */
function restampAs(instanceId: string): Restamp {
  const copies = new WeakMap<object, ObservedSpan['resource']>();
  return (resource) => {
    const copy = copies.get(resource) ?? { ...resource, 'service.instance.id': instanceId };
    copies.set(resource, copy);
    return copy;
  };
}
