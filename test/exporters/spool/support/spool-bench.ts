import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { SpanBatch } from '#processor/span-queue';
import { Spool, type SpoolOptions } from '#spool/spool';
import { recoverSpool, type RecoveredSpool } from '#spool/recovery/recover-spool';
import type { ObservedSpan } from '#facts/observed-span';
import { endedSpan, startOfSpan, type SpanOptions } from '#test/support/spans';

export const EMITTER = { validatorHotkey: '5Validator', instanceId: 'instance-1' };

/** An ended span of the emitter. */
export const spanOf = (at: number, options: Partial<SpanOptions> = {}): ObservedSpan =>
  endedSpan({ step: 'query', at, ...options });

export { startOfSpan };

/** What was received from a spool: spans by key, accounts, and record numbers. */
export interface Outside {
  readonly started: ReadonlySet<string>;
  readonly ended: ReadonlyMap<string, ObservedSpan>;
  readonly accounts: readonly EmitterAccount[];
  readonly sequences: readonly number[];
}

/** A spool in a folder, with a receiver that stores what it delivers. */
export class SpoolBench {
  readonly directory: string;
  readonly dropped: Record<string, number> = {};
  added = 0;
  readonly #settings: Pick<SpoolOptions, 'segmentBytes' | 'limitBytes' | 'durability'>;
  readonly #started = new Set<string>();
  readonly #ended = new Map<string, ObservedSpan>();
  readonly #accounts: EmitterAccount[] = [];
  readonly #sequences: number[] = [];

  constructor(folder: string, settings: Partial<SpoolOptions> = {}) {
    this.directory = join(folder, 'spool');
    mkdirSync(this.directory, { recursive: true });
    this.#settings = { segmentBytes: 4096, limitBytes: 1_000_000, durability: 'system', ...settings };
  }

  open(): Spool {
    return new Spool({ ...this.#options(), emitter: EMITTER });
  }

  recover(): Promise<RecoveredSpool | null> {
    return recoverSpool(this.#options());
  }

  /** Recovers a spool. @throws Error when its emitter is unknown */
  async recoverKnown(): Promise<RecoveredSpool> {
    const recovered = await this.recover();
    if (recovered === null) throw new Error('The emitter of the spool is unknown.');
    return recovered;
  }

  get outside(): Outside {
    return {
      started: this.#started,
      ended: this.#ended,
      accounts: this.#accounts,
      sequences: this.#sequences,
    };
  }

  /** Takes a batch, and receives and settles it if `isSafe`; else it stays in flight. */
  async deliver(spool: Spool, maxSpans = 1000, isSafe = true): Promise<SpanBatch> {
    const batch = await spool.take(maxSpans);
    if (isSafe) this.#receiveBatch(spool, batch);
    return batch;
  }

  /** Takes two batches before the first is settled; `between` is called after that. */
  async deliverTwo(spool: Spool, maxSpans: number, between: () => void): Promise<void> {
    const [first, second] = [await spool.take(maxSpans), await spool.take(maxSpans)];
    this.#receiveBatch(spool, first);
    between();
    this.#receiveBatch(spool, second);
  }

  #receiveBatch(spool: Spool, batch: SpanBatch): void {
    const account = batch.account?.(0, batch.spans.length);
    for (const span of batch.spans) this.#receiveSpan(span);
    if (account !== undefined) this.#receiveAccount(account);
    spool.settle();
  }

  /** Delivers all records and the final account. */
  async drain(spool: Spool): Promise<void> {
    while (spool.size > 0) await this.deliver(spool, 7);
    this.#receiveAccount(spool.account(true));
  }

  #receiveAccount(account: EmitterAccount): void {
    this.#accounts.push(account);
    for (const [from, to] of account.received)
      for (let sequence = from; sequence <= to; sequence += 1) this.#sequences.push(sequence);
  }

  #receiveSpan(span: ObservedSpan): void {
    const key = `${span.traceId}${span.spanId}`;
    if (span.phase === 'started') this.#started.add(key);
    else if (!this.#ended.has(key) || span.attributes['weather.closing.reason'] === undefined) {
      this.#ended.set(key, span);
    }
  }

  #options(): Omit<SpoolOptions, 'emitter'> {
    return {
      ...this.#settings,
      directory: this.directory,
      listener: {
        dropped: (reason, spans) => (this.dropped[reason] = (this.dropped[reason] ?? 0) + spans),
        added: (spans) => (this.added += spans),
      },
    };
  }
}

export const keyOf = ({ traceId, spanId }: ObservedSpan): string => `${traceId}${spanId}`;
