import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { Emitter } from '#spool/books/ledger';
import { Spool } from '#spool/spool';
import { EMITTER, spanOf } from '../exporters/spool/support/spool-bench.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const STEPS = 20;

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

/** A process with a spool of its own that makes steps from this instant on. */
async function startProcess(from: number, emitter: Emitter = EMITTER): Promise<Spool> {
  const directory = join(await temporaryFolder(), 'spool');
  mkdirSync(directory);
  const spool = new Spool({
    ...{ directory, segmentBytes: 1 << 22, limitBytes: 1 << 30, durability: 'system', emitter },
    listener: { dropped: () => undefined, added: () => undefined },
  });
  for (let at = 0; at < STEPS; at += 1) spool.push(spanOf(from + at), 0);
  return spool;
}

async function deliver(spool: Spool, records: number): Promise<void> {
  const { spans, account } = await spool.take(records);
  const accounts = account === undefined ? {} : { account: account(0, spans.length) };
  const report = await createPostgresExporter({ pool: database.pool }).exportObserved(spans, accounts);
  expect(report).toEqual({ kind: 'written' });
  spool.settle();
}

/** Delivers the rest and the final account. */
async function end(spool: Spool): Promise<void> {
  while (spool.size > 0) await deliver(spool, STEPS);
  await createPostgresExporter({ pool: database.pool }).exportObserved([], { account: spool.account(true) });
  spool.close();
}

/** What the books say of the id, and of its run. */
async function books(): Promise<Record<string, unknown> | undefined> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `select missing::text, conflict, recorded::int, unaccounted::int, emitter_conflicts ->> instance_id as of_run
     from emitter_books join run_completeness using (validator_id)`,
  );
  expect(rows).toHaveLength(1);
  return rows[0];
}

describe('two processes with one id', () => {
  it('a process whose spool was deleted is not completed by its successor with the same id', async () => {
    const first = await startProcess(0);
    await deliver(first, STEPS / 2);
    first.close();
    await end(await startProcess(1000));
    const conflict = '2 processes use this id; the numbers {[1,11)} arrived again with other spans';
    expect(await books()).toEqual({
      ...{ missing: '{}', recorded: 1.5 * STEPS, unaccounted: 0 },
      ...{ conflict, of_run: conflict },
    });
  });

  it('a process that lost all that it made is told from its successor by its start token', async () => {
    const first = await startProcess(0);
    await createPostgresExporter({ pool: database.pool }).exportObserved([], { account: first.account() });
    first.close();
    await end(await startProcess(1000));
    expect(await books()).toMatchObject({ missing: '{}', conflict: '2 processes use this id' });
  });

  it('copies of a running machine, which have even the token in common, are told apart by their spans', async () => {
    const copied = { ...EMITTER, epoch: 'of the snapshot' };
    for (const from of [0, 1000]) await end(await startProcess(from, copied));
    expect(await books()).toMatchObject({
      ...{ missing: '{}', recorded: 2 * STEPS, unaccounted: 0 },
      conflict: `the numbers {[1,${STEPS + 1})} arrived again with other spans`,
    });
  });
});
