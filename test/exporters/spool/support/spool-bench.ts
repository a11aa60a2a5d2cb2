import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { SpanBatch } from '#processor/span-queue';
import { Spool, type SpoolOptions } from '#spool/spool';
import { recoverSpool, type RecoveredSpool } from '#spool/recovery/recover-spool';
import type { ObservedSpan } from '#facts/observed-span';
import { endedSpan, startOfSpan, type SpanOptions } from '#test/support/spans';

export const EMITTER = { validatorHotkey: '5Validator', instanceId: 'instance-1' };

/** A span of the emitter, as it ended. */
export const spanOf = (at: number, options: Partial<SpanOptions> = {}): ObservedSpan =>
  endedSpan({ step: 'query', at, ...options });

export { startOfSpan };

/** What the outside has got of a spool: each span by its key, and the newest account. */
export interface Outside {
  readonly started: ReadonlySet<string>;
  readonly ended: ReadonlyMap<string, ObservedSpan>;
  readonly accounts: readonly EmitterAccount[];
  readonly sequences: readonly number[];
}

/** A spool in a folder, and an outside that takes what it gives. */
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

  inherit(): Promise<RecoveredSpool | null> {
    return recoverSpool(this.#options());
  }

  /** Takes over what was left, of which somebody must be known. */
  async inheritSome(): Promise<RecoveredSpool> {
    const inherited = await this.inherit();
    if (inherited === null) throw new Error('Nobody is known to have left the spool.');
    return inherited;
  }

  get outside(): Outside {
    return {
      started: this.#started,
      ended: this.#ended,
      accounts: this.#accounts,
      sequences: this.#sequences,
    };
  }

  /** Takes a batch; `isSafe` says whether it was written, and it is then settled. */
  async deliver(spool: Spool, maxSpans = 1000, isSafe = true): Promise<SpanBatch> {
    const batch = await spool.take(maxSpans);
    if (isSafe) this.#keep(spool, batch);
    return batch;
  }

  /** Takes two batches before the first of them is settled; `between` is called when the first is. */
  async deliverTwo(spool: Spool, maxSpans: number, between: () => void): Promise<void> {
    const [first, second] = [await spool.take(maxSpans), await spool.take(maxSpans)];
    this.#keep(spool, first);
    between();
    this.#keep(spool, second);
  }

  #keep(spool: Spool, batch: SpanBatch): void {
    const account = batch.account?.(0, batch.spans.length);
    for (const span of batch.spans) this.#receive(span);
    if (account !== undefined) this.#hear(account);
    spool.settle();
  }

  /** Takes everything, and the last word. */
  async drain(spool: Spool): Promise<void> {
    while (spool.size > 0) await this.deliver(spool, 7);
    this.#hear(spool.account(true));
  }

  #hear(account: EmitterAccount): void {
    this.#accounts.push(account);
    for (const [from, to] of account.received)
      for (let sequence = from; sequence <= to; sequence += 1) this.#sequences.push(sequence);
  }

  #receive(span: ObservedSpan): void {
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
