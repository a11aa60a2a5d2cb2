import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';

/** Polling interval of the table, milliseconds. */
const LOOK_MILLIS = 3;
const FINISHED = `select span_id, extract(epoch from completed_at)::float8 * 1000 as ended_millis
  from weather_forecast_steps where run_id = $1 and status <> 'in_progress' offset $2`;

interface Seen {
  readonly span_id: string;
  readonly ended_millis: number;
}

/**
 * Latency of the rows of a run: from the end time of the span to the moment when another connection sees the committed
 * row. A poll takes a few milliseconds, which are included.
 *
 * @returns milliseconds, one a row, once `count` rows are there
 */
export async function rowLatencies(
  pool: Pool,
  { runId, count, signal }: { readonly runId: number; readonly count: number; readonly signal: AbortSignal },
): Promise<readonly number[]> {
  const client = await pool.connect();
  try {
    const latencies = new Map<string, number>();
    while (latencies.size < count) {
      signal.throwIfAborted();
      await lookOnce(client, runId, latencies);
      await sleep(LOOK_MILLIS);
    }
    return [...latencies.values()];
  } finally {
    client.release();
  }
}

/** Reads rows only when their number has grown: the cost of polling must not grow with the table. */
async function lookOnce(client: PoolClient, runId: number, latencies: Map<string, number>): Promise<void> {
  const { rows } = await client.query<Seen>({
    name: 'finished',
    text: FINISHED,
    values: [runId, latencies.size],
  });
  if (rows.length === 0) return;
  const now = Date.now();
  // The rows of a heap have no guaranteed order, so new ones are identified by their span ids.
  const all = await client.query<Seen>({ name: 'finished', text: FINISHED, values: [runId, 0] });
  for (const { span_id: span, ended_millis: ended } of all.rows) {
    if (!latencies.has(span)) latencies.set(span, now - ended);
  }
}
