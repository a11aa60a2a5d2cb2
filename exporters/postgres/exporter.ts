import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { untraced } from '../processor/untraced.ts';
import { toObservedSpan } from '#processor/observed-span';
import { RECEIVER } from '#semconv/instrumentation-scope';
import type { EmitterAccount } from '../emitter-report.ts';
import type { ExportOptions, ExportReport } from '../export-report.ts';
import { type Batch, type RejectedSpan, toBatch } from './log/batch.ts';
import { isRetryableDatabaseError } from './sql/database-error.ts';
import { Partitions } from './log/partitions.ts';
import { type Committed, recordBatch } from './write-batch.ts';
import { writeDeadLetter } from './write-dead-letter.ts';
import { isError } from '#semconv/message-of';

/** What the exporter needs. */
export interface ForecastSpanExporterOptions {
  /** Connections to a migrated database; the exporter uses one at a time and does not end the pool. */
  readonly pool: Pool;
  /** Called after each commit with what it changed; the metrics mirror it. Its errors are ignored. */
  readonly onCommit?: (committed: Committed) => void;
  /** Called with the spans of a committed batch that are dead letters, and why. Its errors are ignored. */
  readonly onRejected?: (rejected: readonly RejectedSpan[]) => void;
  /** Reference clock for `validateTimestamps`, milliseconds since 1970. Default: the system clock. */
  readonly now?: () => number;
}

/**
 * Span exporter that writes the forecast tables: spans become facts, and each batch of facts is one transaction.
 * Idempotent: writing the same spans again, in any order and any split, leaves the tables as they are.
 *
 * Calls are serialized. `export` fits any OpenTelemetry span processor; the processor of Barograph calls
 * `exportObserved`, which also accepts spans that have only started, and reports whether a retry can help.
 *
 * @example
 * ```ts
 * import { connectDatabase, ForecastSpanExporter } from 'barograph';
 *
 * const exporter = new ForecastSpanExporter({ pool: await connectDatabase('postgres://localhost/weather') });
 * await exporter.shutdown(); // writes what was handed over; the pool stays open
 * ```
 */
export class ForecastSpanExporter implements SpanExporter {
  readonly #pool: Pool;
  readonly #onCommit: (committed: Committed) => void;
  readonly #onRejected: (rejected: readonly RejectedSpan[]) => void;
  readonly #now: () => number;
  readonly #partitions = new Partitions();
  readonly #prepared = new WeakMap<readonly ObservedSpan[], Promise<Batch>>();
  #last: Promise<unknown> = Promise.resolve();
  #isShutDown = false;

  constructor(options: ForecastSpanExporterOptions) {
    const { pool, onCommit, onRejected, now = () => Date.now() } = options;
    this.#pool = pool;
    this.#onCommit = onCommit ?? (() => undefined);
    this.#onRejected = onRejected ?? (() => undefined);
    this.#now = now;
  }

  /** Writes ended and running spans; `done` is called once, with success or with the error. */
  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const observed = spans.map((span) => toObservedSpan(span, span.ended ? 'ended' : 'started'));
    void this.exportObserved(observed).then((report) => {
      if (report.kind === 'written') done({ code: ExportResultCode.SUCCESS });
      else done({ code: ExportResultCode.FAILED, error: toError(report.error) });
    });
  }

  /** Pipelining: translates the spans of a later `exportObserved` while earlier ones are still written. */
  prepare(spans: readonly ObservedSpan[]): void {
    const batch = toBatch(spans);
    // The error surfaces in `exportObserved`; this only prevents an unhandled rejection.
    batch.catch(() => undefined);
    this.#prepared.set(spans, batch);
  }

  /** Writes spans, and the account of their emitter, in one transaction. Never rejects. */
  exportObserved(
    spans: readonly ObservedSpan[],
    { account, signal }: ExportOptions = {},
  ): Promise<ExportReport> {
    const books = withBooks(account);
    if (books === undefined && account !== undefined && spans.length === 0)
      return Promise.resolve({ kind: 'written' });
    return this.#serialize(() => this.#transaction(spans, books), signal);
  }

  /** Writes one span that the database refuses as a dead letter, with the error of the refusal. */
  writeDeadLetter(span: ObservedSpan, error: unknown, options?: ExportOptions): Promise<ExportReport> {
    const account = withBooks(options?.account);
    return this.#serialize(
      () => writeDeadLetter(this.#pool, span, { ...options, account, error }),
      options?.signal,
    );
  }

  /** A call that is abandoned returns at once; what it has begun goes on, and what it has not begun never begins. */
  #serialize(write: () => Promise<Committed>, signal?: AbortSignal): Promise<ExportReport> {
    if (this.#isShutDown) {
      return Promise.resolve({ kind: 'rejected', error: new Error('The exporter was shut down.') });
    }
    const report = this.#last.then(() => (signal?.aborted === true ? ABANDONED : this.#write(write)));
    this.#last = report;
    return signal === undefined ? report : untilAborted(report, signal);
  }

  /** Resolves when every span passed so far is written or its failure reported. */
  async forceFlush(): Promise<void> {
    await this.#last;
  }

  /** Rejects further spans; resolves when the earlier ones are written or their failure reported. */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    await this.#last;
  }

  async #write(write: () => Promise<Committed>): Promise<ExportReport> {
    let committed: Committed;
    try {
      committed = await untraced(write);
    } catch (error) {
      this.#partitions.invalidate();
      return { kind: isRetryableDatabaseError(error) ? 'retryable' : 'rejected', error };
    }
    ignoringErrors(() => this.#onCommit(committed));
    return { kind: 'written' };
  }

  async #transaction(spans: readonly ObservedSpan[], account?: EmitterAccount): Promise<Committed> {
    const batch = await (this.#prepared.get(spans) ?? toBatch(spans));
    const options = { partitions: this.#partitions, now: this.#now() * 1000, account };
    const committed = await inTransaction(this.#pool, (client) => recordBatch(client, batch, options));
    if (batch.rejected.length > 0) ignoringErrors(() => this.#onRejected(batch.rejected));
    return committed;
  }
}

/** The rows are committed: a failing callback must not turn that into a retry. */
function ignoringErrors(callback: () => void): void {
  try {
    callback();
  } catch {
    // Nobody else can be told.
  }
}

const ABANDONED: ExportReport = { kind: 'retryable', error: new Error('The export was abandoned.') };

function untilAborted(report: Promise<ExportReport>, signal: AbortSignal): Promise<ExportReport> {
  return new Promise((resolve) => {
    const abandon = (): void => resolve(ABANDONED);
    if (signal.aborted) abandon();
    signal.addEventListener('abort', abandon, { once: true });
    void report.then((settled) => {
      signal.removeEventListener('abort', abandon);
      resolve(settled);
    });
  });
}

/** The account, unless its emitter has no books: a receiver made none of its records, and is no validator. */
const withBooks = (account: EmitterAccount | undefined): EmitterAccount | undefined =>
  account?.validatorHotkey === RECEIVER ? undefined : account;

const toError = (value: unknown): Error => (isError(value) ? value : new Error(String(value)));

/**
 * Creates a `ForecastSpanExporter`. It uses one connection of the pool at a time and does not end the pool; an export
 * never rejects, its report tells `written`, `retryable` or `rejected`.
 *
 * @example
 * ```ts
 * import { connectDatabase, createPostgresExporter, RecordingSpanProcessor } from 'barograph';
 *
 * const exporter = createPostgresExporter({ pool: await connectDatabase('postgres://localhost/weather') });
 * const processor = new RecordingSpanProcessor({
 *   sink: { export: (spans) => exporter.exportObserved(spans) },
 * });
 * ```
 */
export const createPostgresExporter = (options: ForecastSpanExporterOptions): ForecastSpanExporter =>
  new ForecastSpanExporter(options);
