import type { ClientBase } from 'pg';
import { isoOfMicros } from '#facts/instants';
import type { EpochMicros } from '#facts/step-fact';
import type { LogTable } from '#semconv';

const DAY = 86_400_000_000;

/** How a table is cut by time: partitions of `days` days, counted from 1970-01-01. */
export interface PartitionedTable {
  readonly table: string;
  readonly days: number;
}

/** One partition: it holds what is at `from` or later and before `to`. */
export interface Partition {
  readonly table: string;
  readonly name: string;
  readonly from: EpochMicros;
  readonly to: EpochMicros;
}

export const STEP_PARTITIONS: PartitionedTable = { table: 'weather_forecast_steps_finished', days: 7 };
export const COMPONENT_PARTITIONS: PartitionedTable = {
  table: 'weather_forecast_component_scores',
  days: 28,
};

/** What is cut of each table of the log: of the steps the finished ones, for running ones stay as long as they run. */
export const PARTITIONS_OF: Readonly<Record<LogTable, PartitionedTable>> = {
  weather_forecast_steps: STEP_PARTITIONS,
  weather_forecast_component_scores: COMPONENT_PARTITIONS,
};

/** Partitions by table and by their number since 1970: some thousands for any time that ours can be of. */
const partitions = new Map<string, Map<number, Partition>>();

/** The partition that holds an instant, whether it exists or not. */
export function partitionAt({ table, days }: PartitionedTable, at: EpochMicros): Partition {
  const number = Math.floor(at / (days * DAY));
  const known = partitions.get(table) ?? new Map<number, Partition>();
  partitions.set(table, known);
  const partition = known.get(number) ?? partitionNumber(number, { table, days });
  known.set(number, partition);
  return partition;
}

function partitionNumber(number: number, { table, days }: PartitionedTable): Partition {
  const width = days * DAY;
  const from = number * width;
  const name = `${table}_${isoOfMicros(from).slice(0, 10).replaceAll('-', '')}`;
  return { table, name, from, to: from + width };
}

/**
 * Keeps others from making or dropping partitions of the table until the transaction ends. Whoever takes it takes it
 * before any lock on the table or on `validators`, which both making and dropping lock, too.
 */
export async function lockPartitionsOf(client: ClientBase, table: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [table]);
}

/** Makes partitions before rows need them, and remembers which exist. */
export class Partitions {
  readonly #known = new Set<string>();

  /** Makes sure that the table has a partition for each of these instants. */
  async ensure(client: ClientBase, table: PartitionedTable, instants: readonly EpochMicros[]): Promise<void> {
    for (const partition of new Set(instants.map((at) => partitionAt(table, at)))) {
      if (this.#known.has(partition.name)) continue;
      await createPartition(client, partition);
      this.#known.add(partition.name);
    }
  }

  /** Forgets what it knows: after a rollback a partition may be gone again. */
  invalidate(): void {
    this.#known.clear();
  }
}

/**
 * Attaching takes a weaker lock than creating in place, so readers go on; two writers do not meet, by the lock.
 *
 * @returns whether the partition is new
 */
export async function createPartition(
  client: ClientBase,
  { table, name, from, to }: Partition,
): Promise<boolean> {
  await lockPartitionsOf(client, table);
  if (await hasPartition(client, { table, name })) return false;
  await client.query(`create table ${name} (like ${table} including defaults including constraints)`);
  await client.query(
    `alter table ${table} attach partition ${name} for values from ('${isoOfMicros(from)}') to ('${isoOfMicros(to)}')`,
  );
  return true;
}

/** Whether the partition belongs to its table now. */
export async function hasPartition(
  client: ClientBase,
  { table, name }: Pick<Partition, 'table' | 'name'>,
): Promise<boolean> {
  const { rows } = await client.query(
    'select from pg_inherits where inhparent = $1::regclass and inhrelid = to_regclass($2)',
    [table, name],
  );
  return rows.length > 0;
}
