import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { migrateQueue } from '#pipeline/queue/worker';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Reference tables: small, without validator_id, replicated to every server. */
const REFERENCE_TABLES = ['public.validators', 'public.error_categories'];
/** Local tables: small, on one server, whose rows have no certain validator. */
const LOCAL_TABLES = [
  'public.barograph_migrations',
  'public.database_identity',
  'public.dead_letter_spans',
  'public.dropped_partitions',
];
/** Schemas of control state and job queue, which stay in the database of the pipeline. */
const LOCAL_SCHEMAS = ['pipeline'];

interface Key {
  readonly relation: string;
  readonly name: string;
  readonly columns: readonly string[];
}

interface ForeignKey extends Key {
  readonly target: string;
}

const SCALING_PAGE = join(import.meta.dirname, '..', '..', 'docs', 'scaling.md');
const OURS = `not in ('pg_catalog', 'information_schema', 'pg_toast')`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateQueue(database.pool);
  const month = `for values from ('2026-11-01') to ('2026-12-01')`;
  await database.pool.query(
    `create table steps_month partition of weather_forecast_steps_finished ${month};
     create table scores_month partition of weather_forecast_component_scores ${month}`,
  );
});
afterAll(async () => database.drop());

/** Primary keys, unique constraints and unique indexes are all unique indexes to the catalogue. */
async function uniqueKeys(): Promise<Key[]> {
  const { rows } = await database.pool.query<Key>(
    `select namespace.nspname || '.' || relation.relname as relation, index.indexrelid::regclass::text as name,
       array(select attribute.attname::text
             from unnest(index.indkey) with ordinality as key (number, place)
               join pg_attribute attribute on (attribute.attrelid, attribute.attnum) = (index.indrelid, key.number)
             where key.place <= index.indnkeyatts) as columns
     from pg_index index
       join pg_class relation on relation.oid = index.indrelid
       join pg_namespace namespace on namespace.oid = relation.relnamespace
     where index.indisunique and namespace.nspname ${OURS} and namespace.nspname !~ '^pg_'
     order by 1, 2`,
  );
  return rows;
}

async function foreignKeys(): Promise<ForeignKey[]> {
  const { rows } = await database.pool.query<ForeignKey>(
    `select namespace.nspname || '.' || relation.relname as relation, key.conname::text as name,
       target_namespace.nspname || '.' || target.relname as target,
       array(select attribute.attname::text from pg_attribute attribute
             where attribute.attrelid = key.conrelid and attribute.attnum = any (key.conkey)) as columns
     from pg_constraint key
       join pg_class relation on relation.oid = key.conrelid
       join pg_namespace namespace on namespace.oid = relation.relnamespace
       join pg_class target on target.oid = key.confrelid
       join pg_namespace target_namespace on target_namespace.oid = target.relnamespace
     where key.contype = 'f' order by 1, 2`,
  );
  return rows;
}

async function tables(): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables where schemaname ${OURS} order by 1`,
  );
  return rows.map(({ name }) => name);
}

const schemaOf = (table: string): string => table.split('.')[0] ?? '';
const isDistributed = (table: string): boolean =>
  ![...REFERENCE_TABLES, ...LOCAL_TABLES].includes(table) && !LOCAL_SCHEMAS.includes(schemaOf(table));

describe('sharding by validator_id', () => {
  it('every distributed table has the column validator_id', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select table_schema || '.' || table_name as name from information_schema.columns
       where column_name = 'validator_id' and is_nullable = 'NO'`,
    );
    const withValidator = rows.map(({ name }) => name);
    const distributed = (await tables()).filter(isDistributed);
    expect(distributed.filter((table) => !withValidator.includes(table))).toEqual([]);
    expect(distributed).toContain('public.weather_forecast_steps');
    expect(distributed).toContain('public.steps_month');
    expect(distributed.length).toBeGreaterThanOrEqual(15);
  });

  it('every unique key of a distributed table contains validator_id', async () => {
    const keys = (await uniqueKeys()).filter(({ relation }) => isDistributed(relation));
    expect(keys.filter(({ columns }) => !columns.includes('validator_id'))).toEqual([]);
    const keyed = new Set(keys.map(({ relation }) => relation));
    // The partitioned parent of the log has no key; its two partitions have.
    expect((await tables()).filter((table) => isDistributed(table) && !keyed.has(table))).toEqual([
      'public.weather_forecast_steps',
    ]);
  });

  it('a foreign key of a distributed table references reference tables only', async () => {
    const keys = (await foreignKeys()).filter(({ relation }) => isDistributed(relation));
    expect(keys.length).toBeGreaterThan(0);
    for (const { relation, name, target, columns } of keys) {
      expect({ relation, name, target, columns }).toMatchObject({
        target: 'public.validators',
        columns: ['validator_id'],
      });
    }
  });

  it('a local table has no foreign key to a distributed one', async () => {
    const keys = (await foreignKeys()).filter(({ relation }) => !isDistributed(relation));
    expect(keys.filter(({ target }) => isDistributed(target))).toEqual([]);
  });

  it('docs/scaling.md describes every table that is not distributed', async () => {
    const page = await readFile(SCALING_PAGE, 'utf8');
    const named = [...REFERENCE_TABLES, ...LOCAL_TABLES].map((table) => table.replace('public.', ''));
    for (const name of [...named, ...LOCAL_SCHEMAS]) expect(page).toContain(`\`${name}\``);
    const there = await tables();
    expect([...REFERENCE_TABLES, ...LOCAL_TABLES].filter((table) => !there.includes(table))).toEqual([]);
    expect(LOCAL_SCHEMAS.filter((schema) => !there.some((table) => schemaOf(table) === schema))).toEqual([]);
  });
});
