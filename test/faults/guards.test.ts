import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { segmentPath } from '#spool/segments/segment-files';
import { closingSpan } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import { translate } from '#facts/translate';
import { canonicalJson } from '#postgres/projections/canonical-json';
import { keyOf, spanOf, SpoolBench } from '../exporters/spool/support/spool-bench.ts';
import { interceptPool, type Interceptor } from '../support/intercepted-pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { RECORDED_RUNS } from '../support/recorded-runs.ts';
import { startOfSpan } from '../support/spans.ts';
import { dumpTables, emptyTables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Switch for the checksum: off, it is whatever follows the bytes of a record, so that every record looks intact. */
const checksum = vi.hoisted(() => ({ isChecked: true }));
vi.mock('node:zlib', async (importOriginal) => {
  const zlib = await importOriginal<{ crc32: (data: Uint8Array, value?: number) => number }>();
  return {
    ...zlib,
    crc32: (data: Uint8Array) => (checksum.isChecked ? zlib.crc32(data) : behind(data)),
  };
});

function behind(data: Uint8Array): number {
  const end = data.byteOffset + data.byteLength;
  return end + 4 > data.buffer.byteLength ? 0 : new DataView(data.buffer, end, 4).getUint32(0, true);
}

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  checksum.isChecked = true;
  await database.drop();
});

const asItIs: Interceptor = (_text, run) => run();

/** Answers a statement of the exporter as if nothing had been found. */
const findNothing =
  (statement: string): Interceptor =>
  (text, run) =>
    text.includes(statement) ? Promise.resolve({ rows: [], rowCount: 0 }) : run();

async function write(batches: readonly (readonly ObservedSpan[])[], intercept = asItIs): Promise<void> {
  const exporter = createPostgresExporter({ pool: interceptPool(database.pool, intercept) });
  for (const batch of batches) await exporter.exportObserved(batch);
}

/** The tables in which these batches differ from the same spans in one batch. */
async function differences(
  batches: readonly (readonly ObservedSpan[])[],
  intercept = asItIs,
): Promise<readonly string[]> {
  const prepare = (pool: Pool) => pool.query(`insert into validators (hotkey) values ('5Validator')`);
  await emptyTables(database.pool);
  await prepare(database.pool);
  await write(batches, intercept);
  const disturbed = await dumpTables(database.pool);
  const other = await createTestDatabase();
  try {
    await prepare(other.pool);
    await createPostgresExporter({ pool: other.pool }).exportObserved(batches.flat());
    const clean = await dumpTables(other.pool);
    return Object.keys(clean).filter(
      (table) => canonicalJson(clean[table]) !== canonicalJson(disturbed[table]),
    );
  } finally {
    await other.drop();
  }
}

const ENDED = RECORDED_RUNS.filter(({ phase }) => phase === 'ended');

describe('unique key of the log', () => {
  it('the unique key rejects every duplicate', async () => {
    expect(await differences([ENDED, ENDED])).toEqual([]);
  });

  it('without the unique key, steps and counters double', async () => {
    await database.pool.query('drop index weather_forecast_steps_finished_key');
    expect(await differences([ENDED, ENDED])).toEqual(
      expect.arrayContaining(['weather_forecast_steps', 'miner_stats']),
    );
  });
});

describe('guard of a terminal status', () => {
  const late = [ENDED, ENDED.map(startOfSpan)];

  it('a late start does not undo the end', async () => {
    expect(await differences(late)).toEqual([]);
  });

  it('without the guard, ended steps become running again', async () => {
    const withoutGuard = findNothing('where exists (select from weather_forecast_steps_finished');
    expect(await differences(late, withoutGuard)).toContain('weather_forecast_steps');
  });
});

describe('precedence of a real end over a synthetic one', () => {
  const closings = ENDED.map((span) => closingSpan(startOfSpan(span), { reason: 'process_crash', at: 0 }));

  it('the real end wins, whichever comes first', async () => {
    expect(await differences([closings, ENDED])).toEqual([]);
  });

  it('without the precedence, ended steps count as abandoned', async () => {
    const withoutRule = findNothing('from closed_spans as closed join');
    expect(await differences([closings, ENDED], withoutRule)).toEqual(
      expect.arrayContaining(['weather_forecast_steps', 'weather_forecast_stats', 'miner_stats']),
    );
  });
});

/** A spool of six records in files of their own, of which one file is lost before it is taken over. */
async function gapsAfterLoss(intercept: Interceptor): Promise<readonly string[]> {
  const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 1 });
  const spool = bench.open();
  for (let at = 1; at <= 6; at += 1) {
    spool.push(spanOf(at), 0);
    await Promise.resolve();
  }
  rmSync(segmentPath(bench.directory, 3));
  const inherited = await bench.recover();
  const exporter = createPostgresExporter({ pool: interceptPool(database.pool, intercept) });
  const successor = inherited?.spool;
  while (successor !== undefined && successor.size > 0) {
    const batch = await successor.take(10);
    const account = batch.account?.(0, batch.spans.length);
    await exporter.exportObserved(batch.spans, account === undefined ? {} : { account });
    successor.settle();
  }
  if (successor !== undefined) await exporter.exportObserved([], { account: successor.account(true) });
  const { rows } = await database.pool.query<{ missing: string }>(
    'select missing::text from emitter_books where not isempty(missing)',
  );
  return rows.map(({ missing }) => missing);
}

describe('sequence check of the ledger', () => {
  it('the sequence number of a lost record is reported', async () => {
    expect(await gapsAfterLoss(asItIs)).toEqual(['{[3,4)}']);
  });

  it('without the sequence check, a loss is not reported', async () => {
    const believeEverything: Interceptor = (text, run, client) =>
      text.includes(
        'insert into emitters as emitter (validator_id, instance_id, spans, ended_spans, last_sequence',
      )
        ? run().then(() => client.query(`update emitters set received = '{[1,7)}'`))
        : run();
    expect(await gapsAfterLoss(believeEverything)).toEqual([]);
  });
});

/** What a reader makes of three records of which the second was torn and written over by the third. */
async function readTorn(): Promise<readonly string[]> {
  const bench = new SpoolBench(await temporaryFolder(), { segmentBytes: 1 });
  const spool = bench.open();
  const spans = [1, 2, 3].map((at) => spanOf(at));
  for (const span of spans) {
    spool.push(span, 0);
    await Promise.resolve();
  }
  spool.close();
  const [first, second, third] = [1, 2, 3].map((number) =>
    readFileSync(segmentPath(bench.directory, number)),
  );
  for (const number of [2, 3]) rmSync(segmentPath(bench.directory, number));
  writeFileSync(
    segmentPath(bench.directory, 1),
    Buffer.concat([first, second?.subarray(0, 60), third].filter((part) => part !== undefined)),
  );
  const inherited = await bench.recover();
  if (inherited !== null) await bench.drain(inherited.spool);
  const written = new Set(spans.map((span) => canonicalJson(translate(span))));
  const wrong = [...bench.outside.ended.values()].filter(
    (span) => !written.has(canonicalJson(translate(span))),
  );
  const whole = [spans[0], spans[2]].filter((span) => span !== undefined);
  const lost = whole.filter((span) => !bench.outside.ended.has(keyOf(span)));
  return [...wrong.map(() => 'a wrong row'), ...lost.map(() => 'a whole record lost')];
}

describe('checksum of records', () => {
  it('all intact records, and only those, pass the checksum', async () => {
    expect(await readTorn()).toEqual([]);
  });

  it('without the checksum, torn records count as intact', async () => {
    checksum.isChecked = false;
    expect(await readTorn()).not.toEqual([]);
  });
});
