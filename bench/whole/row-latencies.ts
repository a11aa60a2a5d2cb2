import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';

/** Polling interval of the table, milliseconds. */
const LOOK_MILLIS = 3;

/** What a row shows: that the step runs, or how it ended. */
export type Shown = 'start' | 'end';
const ROWS: Readonly<Record<Shown, string>> = {
  start: `select span_id, extract(epoch from started_at)::float8 * 1000 as at_millis
    from weather_forecast_steps where run_id = $1 offset $2`,
  end: `select span_id, extract(epoch from completed_at)::float8 * 1000 as at_millis
    from weather_forecast_steps where run_id = $1 and status <> 'in_progress' offset $2`,
};

interface Seen {
  readonly span_id: string;
  readonly at_millis: number;
}

interface Watched {
  readonly runId: number;
  readonly shown: Shown;
}

/**
 * Latency of the rows of a run: from the start or the end of the span to the moment when another connection sees the
 * committed row. A poll takes a few milliseconds, which are included.
 *
 * @returns milliseconds, one a row, once `count` rows are there
 */
export async function rowLatencies(
  pool: Pool,
  { count, signal, ...watched }: Watched & { readonly count: number; readonly signal: AbortSignal },
): Promise<readonly number[]> {
  const client = await pool.connect();
  try {
    const latencies = new Map<string, number>();
    while (latencies.size < count) {
      signal.throwIfAborted();
      await lookOnce(client, watched, latencies);
      await sleep(LOOK_MILLIS);
    }
    return [...latencies.values()];
  } finally {
    client.release();
  }
}

/** Reads rows only when their number has grown: the cost of polling must not grow with the table. */
async function lookOnce(
  client: PoolClient,
  { runId, shown }: Watched,
  latencies: Map<string, number>,
): Promise<void> {
  const statement = { name: `rows-of-${shown}`, text: ROWS[shown] };
  const { rows } = await client.query<Seen>({ ...statement, values: [runId, latencies.size] });
  if (rows.length === 0) return;
  const now = Date.now();
  // The rows of a heap have no guaranteed order, so new ones are identified by their span ids.
  const all = await client.query<Seen>({ ...statement, values: [runId, 0] });
  for (const { span_id: span, at_millis: at } of all.rows) {
    if (!latencies.has(span)) latencies.set(span, now - at);
  }
}
