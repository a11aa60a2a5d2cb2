import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { Pool, PoolClient } from 'pg';
import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { EmitterAccount } from '../emitter-account.ts';
import type { ExportOptions, ExportReport } from '../export-report.ts';
import { toObservedSpan } from '../processor/observed-span.ts';
import { toBatch } from './batch.ts';
import { isRetryable } from './database-error.ts';
import { Partitions } from './partitions.ts';
import { writeBatch, type Committed } from './write-batch.ts';

/** What the exporter needs. */
export interface ForecastSpanExporterOptions {
  /** Connections to a migrated database; the exporter uses one at a time and does not end the pool. */
  readonly pool: Pool;
  /** Told after each commit what it changed; the metrics mirror it. An error of it is its own affair. */
  readonly onCommit?: (committed: Committed) => void;
}

/**
 * Turns spans into rows of the forecast tables: spans give facts, facts give one transaction, a transaction gives a
 * result. Writing the same spans again, in any order and any split, leaves the tables as they are.
 *
 * Calls are served one after the other. It fits any OpenTelemetry span processor through `export`; the processor of
 * Barograph calls `exportObserved`, which also takes spans that have only started and says whether trying again helps.
 */
export class ForecastSpanExporter implements SpanExporter {
  readonly #pool: Pool;
  readonly #onCommit: (committed: Committed) => void;
  readonly #partitions = new Partitions();
  #last: Promise<unknown> = Promise.resolve();
  #isShutDown = false;

  constructor({ pool, onCommit = () => undefined }: ForecastSpanExporterOptions) {
    this.#pool = pool;
    this.#onCommit = onCommit;
  }

  /** Writes ended spans, and running ones if there are any; `done` hears once of success or of the error. */
  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const observed = spans.map((span) => toObservedSpan(span, span.ended ? 'ended' : 'started'));
    void this.exportObserved(observed).then((report) => {
      if (report.kind === 'written') done({ code: ExportResultCode.SUCCESS });
      else done({ code: ExportResultCode.FAILED, error: toError(report.error) });
    });
  }

  /** Writes spans, and the account of their emitter, in one transaction. Never rejects. */
  exportObserved(spans: readonly ObservedSpan[], { account }: ExportOptions = {}): Promise<ExportReport> {
    if (this.#isShutDown) {
      return Promise.resolve({ kind: 'rejected', error: new Error('The exporter was shut down.') });
    }
    const report = this.#last.then(() => this.#write(spans, account));
    this.#last = report;
    return report;
  }

  /** Resolves when everything that was handed over is written or reported. */
  async forceFlush(): Promise<void> {
    await this.#last;
  }

  /** Takes no more spans, and resolves when those handed over are written or reported. */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    await this.#last;
  }

  async #write(spans: readonly ObservedSpan[], account?: EmitterAccount): Promise<ExportReport> {
    let committed: Committed;
    try {
      committed = await this.#transaction(spans, account);
    } catch (error) {
      this.#partitions.forget();
      return { kind: isRetryable(error) ? 'retryable' : 'rejected', error };
    }
    try {
      this.#onCommit(committed);
    } catch {
      // The rows are committed; whoever mirrors them cannot undo that.
    }
    return { kind: 'written' };
  }

  async #transaction(spans: readonly ObservedSpan[], account?: EmitterAccount): Promise<Committed> {
    const batch = toBatch(spans);
    const client = await this.#pool.connect();
    client.on('error', leaveToNextStatement);
    try {
      await client.query('begin');
      const committed = await writeBatch(client, batch, this.#partitions, account);
      await client.query('commit');
      client.release();
      return committed;
    } catch (error) {
      await abandon(client);
      throw error;
    } finally {
      client.off('error', leaveToNextStatement);
    }
  }
}

/** A connection that is lost between two statements ends the process unless it is heard; the next statement fails. */
const leaveToNextStatement = (): void => undefined;

/** Rolls back; a connection that cannot even do that is not used again. */
async function abandon(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch (error) {
    client.release(toError(error));
  }
}

const toError = (value: unknown): Error => (value instanceof Error ? value : new Error(String(value)));

/** The exporter of Barograph for OpenTelemetry. */
export const createPostgresExporter = (options: ForecastSpanExporterOptions): ForecastSpanExporter =>
  new ForecastSpanExporter(options);
