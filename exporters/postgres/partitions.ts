import type { ClientBase } from 'pg';
import { isoOfMicros } from '../../src/facts/instants.ts';
import type { EpochMicros } from '../../src/facts/step-fact.ts';

const DAY = 86_400_000_000;

/** How a table is cut by time: partitions of `days` days, counted from 1970-01-01. */
interface PartitionedTable {
  readonly table: string;
  readonly days: number;
}

export const STEP_PARTITIONS: PartitionedTable = { table: 'weather_forecast_steps_finished', days: 7 };
export const COMPONENT_PARTITIONS: PartitionedTable = {
  table: 'weather_forecast_component_scores',
  days: 28,
};

/** Makes partitions before rows need them, and remembers which exist. */
export class Partitions {
  readonly #known = new Set<string>();

  /** Makes sure that the table has a partition for each of these instants. */
  async ensure(
    client: ClientBase,
    { table, days }: PartitionedTable,
    instants: readonly EpochMicros[],
  ): Promise<void> {
    const width = days * DAY;
    for (const index of new Set(instants.map((at) => Math.floor(at / width)))) {
      const from = isoOfMicros(index * width);
      const name = `${table}_${from.slice(0, 10).replaceAll('-', '')}`;
      if (this.#known.has(name)) continue;
      await createPartition(client, { table, name, from, to: isoOfMicros((index + 1) * width) });
      this.#known.add(name);
    }
  }

  /** Forgets what it knows: after a rollback a partition may be gone again. */
  forget(): void {
    this.#known.clear();
  }
}

/** Attaching takes a weaker lock than creating in place, so readers go on; two writers do not meet, by the lock. */
async function createPartition(
  client: ClientBase,
  partition: { readonly table: string; readonly name: string; readonly from: string; readonly to: string },
): Promise<void> {
  const { table, name, from, to } = partition;
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [table]);
  const { rows } = await client.query<{ found: string | null }>('select to_regclass($1)::text as found', [
    name,
  ]);
  if (rows[0]?.found) return;
  await client.query(`create table ${name} (like ${table} including defaults including constraints)`);
  await client.query(
    `alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`,
  );
}
