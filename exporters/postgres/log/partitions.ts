import type { ClientBase } from 'pg';
import { isoOfMicros } from '#facts/instants';
import type { EpochMicros } from '#facts/step-fact';
import type { LogTable } from '#semconv';

const DAY = 86_400_000_000;

/** Range partitioning by time: partitions of `days` days, aligned to 1970-01-01. */
export interface PartitionedTable {
  readonly table: string;
  readonly days: number;
}

/** One partition, with the half-open range `[from, to)`. */
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

/**
 * The partitioned part of each table of the log. Of the steps only the finished ones are; a running step stays as long
 * as it runs.
 */
export const PARTITIONS_OF: Readonly<Record<LogTable, PartitionedTable>> = {
  weather_forecast_steps: STEP_PARTITIONS,
  weather_forecast_component_scores: COMPONENT_PARTITIONS,
};

/** Memoized partitions by table and by number since 1970; `validateTimestamps` bounds them to some thousands. */
const partitions = new Map<string, Map<number, Partition>>();

/** The partition whose range holds an instant, whether it exists in the database or not. */
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
 * Advisory lock on the set of partitions of a table, held until the transaction ends. Lock order: this lock comes
 * before any lock on the table or on `validators`; creating and dropping a partition take both, and another order
 * deadlocks.
 */
export async function lockPartitionsOf(client: ClientBase, table: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [table]);
}

/** Creates partitions before rows need them, with a cache of those that exist. */
export class Partitions {
  readonly #known = new Set<string>();

  /** Creates the missing partitions for these instants. */
  async ensure(client: ClientBase, table: PartitionedTable, instants: readonly EpochMicros[]): Promise<void> {
    for (const partition of new Set(instants.map((at) => partitionAt(table, at)))) {
      if (this.#known.has(partition.name)) continue;
      await createPartition(client, partition);
      this.#known.add(partition.name);
    }
  }

  /** Empties the cache: a rollback also reverts the creation of a partition. */
  invalidate(): void {
    this.#known.clear();
  }
}

/**
 * Creates a table and attaches it: attaching takes a weaker lock than `create table … partition of`, so readers
 * continue. The advisory lock keeps two writers apart.
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

/** Whether the partition is attached to its table. */
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
