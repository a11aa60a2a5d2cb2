import { cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { createPostgresExporter } from '#postgres/exporter';
import type { SpanSink } from '#exporters/export-report';
import { toSink } from '#postgres/span-sink';
import { adoptSpools, type Adopted } from '#spool/recovery/adopt-spools';
import { readBooks } from '#spool/books/books-file';
import { readSegment, WRITTEN_FORMAT } from '#spool/format/frame';
import { ReplaceableSpool } from '#spool/replaceable-spool';
import { segmentPath } from '#spool/segments/segment-files';
import { readTail } from '#spool/segments/tail-file';
import { claimFolder } from '#spool/spool-folder';
import { deliveryTo } from '#test/exporters/processor/support/delivery';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { emptyTables } from '#test/support/tables';
import { temporaryFolder } from '#test/support/temporary-folder';
import { EMITTER, spanOf, startOfSpan } from './support/spool-bench.ts';

const SETTINGS = { segmentBytes: 4096, limitBytes: 1_000_000, durability: 'system' as const };
/** The owner file of a process that cannot live: numbers end at 2^22. */
const DEAD_OWNER = '4194305-7 token';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

const all = async <Row extends object>(sql: string): Promise<readonly Row[]> =>
  (await database.pool.query<Row>(sql)).rows;

/** A process that records into the database, and a robber of its spool. */
async function rig(settings: Partial<typeof SETTINGS> = {}) {
  const root = await temporaryFolder();
  const written = toSink(createPostgresExporter({ pool: database.pool }));
  const connection = { isAway: false };
  const sink: SpanSink = {
    ...written,
    export: (...batch) =>
      connection.isAway
        ? Promise.resolve({ kind: 'retryable', error: new Error('The database is away.') })
        : written.export(...batch),
  };
  const folder = await claimFolder(root, EMITTER.instanceId);
  if (folder === null) throw new Error('The folder is locked.');
  const problems: string[] = [];
  const dropped: Record<string, number> = {};
  const accepted = { records: 0, settled: 0 };
  const listener = {
    dropped: (reason: string, spans: number): void => {
      dropped[reason] = (dropped[reason] ?? 0) + spans;
      accepted.settled += spans;
    },
    added: (spans: number): void => void (accepted.records += spans),
  };
  const onProblem = (message: string): void => void problems.push(message);
  const options = {
    settings: { ...SETTINGS, ...settings },
    root,
    emitter: EMITTER,
    listener,
    sink,
    onProblem,
  };
  const spool = new ReplaceableSpool(options, folder);
  const push = async (...spans: readonly ObservedSpan[]): Promise<void> => {
    for (const span of spans) {
      if (spool.push(span, 0) === 'queued') accepted.records += 1;
      await Promise.resolve();
    }
  };
  /** Delivers the next batch. @returns false when it is held up */
  const deliver = async (maxSpans = 100): Promise<boolean> => {
    const { spans, account, isHeldUp } = await spool.take(maxSpans);
    if (isHeldUp === true) return false;
    const more = account === undefined ? {} : { account: account(0, spans.length) };
    expect(await sink.export(spans, more)).toEqual({ kind: 'written' });
    spool.settle();
    accepted.settled += spans.length;
    return true;
  };
  const drain = async (): Promise<void> => {
    while (spool.size > 0) expect(await deliver(), 'records that cannot be read').toBe(true);
  };
  const adopt = (): Promise<Adopted> =>
    adoptSpools({
      ...SETTINGS,
      root,
      sink,
      delivery: deliveryTo(sink),
      maxBatchSize: 3,
      onClosed: () => undefined,
      onDropped: () => undefined,
      onProblem,
    });
  /** What a process does that takes this one for dead. */
  const rob = async (): Promise<Adopted> => {
    writeFileSync(join(folder.directory, 'owner'), DEAD_OWNER);
    return adopt();
  };
  return { root, folder, spool, connection, problems, dropped, accepted, push, deliver, drain, adopt, rob };
}

type Rig = Awaited<ReturnType<typeof rig>>;

const BOOKS_OF_THE_RUN = `select started::int, recorded::int, dropped::int, dropped_by_reason, unaccounted::int, in_flight::int,
  spooled::int, missing_sequences, emitter_conflicts, emitters::int from run_completeness`;

/** Nothing waits, and every step of the run is recorded or dropped. */
const complete = {
  unaccounted: 0,
  in_flight: 0,
  spooled: 0,
  missing_sequences: null,
  emitter_conflicts: null,
};

/** Everything is over: the process has delivered what it has, and ended; the next one has looked. */
async function end({ root, spool, drain, adopt }: Rig): Promise<void> {
  await drain();
  await spool.finishRescued();
  expect(await spool.finish()).toMatchObject({ records: 0, openSteps: 0 });
  for (const name of readdirSync(root)) writeFileSync(join(root, name, 'owner'), DEAD_OWNER);
  await adopt();
  expect(readdirSync(root)).toEqual([]);
  expect(await all('select from emitter_books where closed_at is null')).toEqual([]);
}

/** A span that begins before the loss, records on both sides of it, and one batch in flight or not. */
async function recordAcross(process: Rig, lose: () => unknown): Promise<void> {
  const { push, deliver, spool } = process;
  await push(startOfSpan(spanOf(1)), spanOf(2), spanOf(3));
  await deliver(2);
  await push(spanOf(4), startOfSpan(spanOf(5)));
  await lose();
  await push(spanOf(6), startOfSpan(spanOf(7)));
  await spool.keep();
  await push(spanOf(1), spanOf(5), spanOf(7), spanOf(8));
}

describe('a living process whose spool is lost', () => {
  it.each<[string, (process: Rig) => unknown, object?]>([
    ['its folder is deleted', ({ folder }) => rmSync(folder.directory, { recursive: true })],
    ['its lock file is deleted', ({ folder }) => rmSync(join(folder.directory, 'owner'))],
    ['its lock file is replaced', ({ folder }) => writeFileSync(join(folder.directory, 'owner'), DEAD_OWNER)],
    ['its folder is renamed', ({ folder }) => renameSync(folder.directory, `${folder.directory}.elsewhere`)],
    [
      'its folder is replaced by a copy',
      ({ folder: { directory } }) => {
        renameSync(directory, `${directory}.elsewhere`);
        cpSync(`${directory}.elsewhere`, directory, { recursive: true });
      },
    ],
    // The adopter closed two steps under the numbers that the owner gave to its next records: the books name that.
    [
      'another process adopts it',
      ({ rob }) => rob(),
      { [EMITTER.instanceId]: expect.stringMatching(/arrived again/) as unknown },
    ],
    ['all its segments are deleted', ({ folder }) => rmSync(segmentPath(folder.directory, 1))],
  ])('every step is recorded once, and the books are complete: %s', async (_, lose, conflicts) => {
    const process = await rig();
    await recordAcross(process, () => lose(process));
    await end(process);
    expect(await all('select span_id from weather_forecast_steps')).toHaveLength(8);
    expect(await all(`select from weather_forecast_steps where status <> 'succeeded'`)).toEqual([]);
    expect(await all(BOOKS_OF_THE_RUN)).toEqual([
      {
        ...{ ...complete, started: 8, recorded: 8, dropped: 0, dropped_by_reason: {}, emitters: 2 },
        emitter_conflicts: conflicts ?? null,
      },
    ]);
    expect(process.dropped).toEqual({});
    expect(process.accepted.settled, 'a flush waits for each record, and no longer').toBe(
      process.accepted.records,
    );
  });

  it('it goes on as a new emitter, and says once what happened and what is allowed', async () => {
    const { folder, spool, problems, push, drain } = await rig();
    await push(spanOf(1));
    rmSync(folder.directory, { recursive: true });
    await spool.keep();
    await spool.keep();
    await push(spanOf(2));
    await drain();
    expect(problems).toEqual([
      expect.stringMatching(
        /^The spool \S+ of this process was removed or replaced, or taken over .* Recording goes on in \S+, as instance \S+\. .* 1 are kept and 0 are lost .* Nothing but Barograph may change the data directory/,
      ),
    ]);
    const instances = await all<{ instance_id: string }>(
      'select instance_id from weather_forecast_steps order by started_at',
    );
    expect(instances[0]).toEqual({ instance_id: EMITTER.instanceId });
    expect(problems[0]).toContain(instances[1]?.instance_id);
  });

  it('records that come before a first segment could be opened are kept in memory until there is a folder', async () => {
    const process = await rig();
    rmSync(process.folder.directory, { recursive: true });
    await process.push(spanOf(1), spanOf(2));
    expect(await process.deliver(), 'nothing is taken for lost').toBe(false);
    expect(process.dropped).toEqual({});
    await process.spool.keep();
    await end(process);
    expect(await all(BOOKS_OF_THE_RUN)).toMatchObject([{ ...complete, started: 2, recorded: 2, dropped: 0 }]);
  });

  it('what can be read nowhere any more is in the books as dropped, with its reason and its numbers', async () => {
    const process = await rig();
    const { folder, push, deliver, spool } = process;
    await push(spanOf(1), spanOf(2));
    await deliver();
    await push(spanOf(3), spanOf(4), spanOf(5));
    truncateSync(segmentPath(folder.directory, 1), 0);
    rmSync(folder.directory, { recursive: true });
    await spool.keep();
    await push(spanOf(6));
    await end(process);
    expect(process.dropped).toEqual({ spool_lost: 3 });
    expect(await all(BOOKS_OF_THE_RUN)).toMatchObject([
      { ...complete, started: 6, recorded: 3, dropped: 3, dropped_by_reason: { spool_lost: 3 } },
    ]);
    expect(
      await all(`select dropped::text from emitter_books where instance_id = '${EMITTER.instanceId}'`),
    ).toEqual([{ dropped: '{[3,6)}' }]);
    expect(process.accepted.settled).toBe(process.accepted.records);
  });

  it('a second loss is survived like the first, and a step that runs across both keeps its emitter', async () => {
    const process = await rig();
    const { root, push, spool } = process;
    const lose = async (): Promise<void> => {
      for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
      await spool.keep();
    };
    await push(startOfSpan(spanOf(1)));
    await process.drain();
    await lose();
    await process.drain();
    await spool.finishRescued();
    await push(spanOf(2));
    await process.drain();
    await lose();
    await push(spanOf(1), spanOf(3));
    await end(process);
    expect(await all(BOOKS_OF_THE_RUN)).toMatchObject([
      { ...complete, started: 3, recorded: 3, dropped: 0, emitters: 3 },
    ]);
    expect(
      await all(`select from weather_forecast_steps where instance_id = '${EMITTER.instanceId}'`),
    ).toHaveLength(1);
  });

  it('the loss of the folder of what was rescued is survived as well, before anything of it was delivered', async () => {
    const process = await rig();
    const { folder, root, spool, push, problems, dropped } = process;
    await push(startOfSpan(spanOf(1)), spanOf(2), spanOf(3));
    rmSync(folder.directory, { recursive: true });
    await spool.keep();
    await push(spanOf(4));
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
    await spool.keep();
    await push(spanOf(1), spanOf(5));
    await end(process);
    expect(await all('select span_id from weather_forecast_steps_finished')).toHaveLength(5);
    expect(await all(BOOKS_OF_THE_RUN)).toMatchObject([{ ...complete, started: 5, recorded: 5, dropped: 0 }]);
    expect([problems.length, dropped]).toEqual([3, {}]);
  });

  it('a process that can claim no other folder writes its records off when it ends, and says why', async () => {
    const { folder, root, spool, push, problems, dropped } = await rig();
    await push(spanOf(1), spanOf(2));
    rmSync(root, { recursive: true });
    writeFileSync(root, 'no folder can be made here');
    expect(await spool.finish()).toMatchObject({ records: 0 });
    expect(dropped).toEqual({ spool_lost: 2 });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('The spool could not be put in order');
    expect(
      await all(`select dropped::text, missing::text from emitter_books where closed_at is not null`),
    ).toEqual([{ dropped: '{[1,3)}', missing: '{}' }]);
    expect(folder.lock.isHeld()).toBe(false);
  });

  it('a process whose records were all dropped before its folder was gone tells of them when it ends', async () => {
    const { root, spool, push, dropped } = await rig({ limitBytes: 1 });
    await push(spanOf(1), spanOf(2));
    expect(dropped).toEqual({ spool_full: 2 });
    rmSync(root, { recursive: true });
    writeFileSync(root, 'no folder can be made here');
    await spool.finish();
    expect(await all('select dropped::text, closed_at is null as is_open from emitter_books')).toEqual([
      { dropped: '{[1,3)}', is_open: false },
    ]);
  });

  it('a process that leaves a folder to others tells of its drops, which a full disk may have kept out of the books there', async () => {
    const { root, spool, push, dropped } = await rig({ limitBytes: 3000 });
    await push(...Array.from({ length: 40 }, (_, run) => spanOf(run + 1)));
    expect(dropped).toEqual({ spool_full: expect.any(Number) as number });
    renameSync(root, `${root}.elsewhere`);
    writeFileSync(root, 'no folder can be made here');
    await spool.finish();
    expect(
      await all(
        `select closed_at, (select sum(upper(part) - lower(part)) from unnest(dropped) as part)::int as dropped
         from emitter_books`,
      ),
    ).toEqual([{ closed_at: null, dropped: dropped['spool_full'] }]);
    rmSync(`${root}.elsewhere`, { recursive: true });
  });

  it('a process that can neither keep its records nor enter them into the books says so, and its books stay open', async () => {
    const { root, spool, push, problems, dropped, connection, deliver } = await rig();
    await push(spanOf(1));
    await deliver();
    await push(spanOf(2), spanOf(3));
    rmSync(root, { recursive: true });
    writeFileSync(root, 'no folder can be made here');
    connection.isAway = true;
    await spool.finish();
    expect(dropped).toEqual({ spool_lost: 2 });
    expect(problems.at(-1)).toBe(
      'The spool of this process is gone, and the database did not take its last books: they stay open over what is lost.',
    );
    expect(await all('select closed_at from emitter_books')).toEqual([{ closed_at: null }]);
  });

  it('a batch that was in flight at the loss is settled, and what it held is delivered again without harm', async () => {
    const process = await rig();
    const { folder, push, spool, accepted } = process;
    await push(spanOf(1), spanOf(2), spanOf(3));
    const inFlight = await spool.take(2);
    rmSync(folder.directory, { recursive: true });
    await spool.keep();
    spool.settle();
    accepted.settled += inFlight.spans.length;
    await end(process);
    expect(await all(BOOKS_OF_THE_RUN)).toMatchObject([{ ...complete, started: 3, recorded: 3 }]);
    expect(accepted.settled).toBe(accepted.records);
  });

  it('a process that ends before it noticed the loss leaves its records to the next one, and does not throw', async () => {
    const process = await rig();
    const { root, folder, push, spool, adopt } = process;
    await push(spanOf(1), spanOf(2));
    rmSync(folder.directory, { recursive: true });
    spool.close();
    expect(await spool.finish()).toMatchObject({ records: 2 });
    expect(readdirSync(root).map((name) => basename(name))).toHaveLength(1);
    await adopt();
    expect(await all(BOOKS_OF_THE_RUN)).toMatchObject([{ ...complete, started: 2, recorded: 2 }]);
    expect(readdirSync(root)).toEqual([]);
  });

  it('books of a lost emitter are not closed before its successor is in them, whoever delivers what was rescued', async () => {
    const { root, folder, push, spool, adopt, connection } = await rig();
    await push(spanOf(1));
    rmSync(folder.directory, { recursive: true });
    connection.isAway = true;
    await spool.keep();
    await push(spanOf(2));
    spool.flushNow();
    const [own = '', rescued = ''] = readdirSync(root).sort((a, b) => a.length - b.length);
    rmSync(join(root, own), { recursive: true });
    writeFileSync(join(root, rescued, 'owner'), DEAD_OWNER);
    connection.isAway = false;
    expect(await adopt()).toMatchObject({ spools: 1, records: 1 });
    expect(
      await all(
        'select instance_id, closed_at is null as is_open from emitter_books order by instance_id = $$' +
          own +
          '$$',
      ),
    ).toEqual([
      { instance_id: EMITTER.instanceId, is_open: false },
      { instance_id: own, is_open: true },
    ]);
  });

  it('books that an adopter closed are open again as soon as the process has noticed, over what it kept', async () => {
    const { root, push, spool, rob, adopt } = await rig();
    await push(spanOf(1));
    await rob();
    expect(await all('select from emitter_books where closed_at is not null')).toHaveLength(1);
    await push(spanOf(2), spanOf(3));
    await spool.keep();
    // It is killed, and what it kept is deleted, before the next batch.
    spool.flushNow();
    for (const name of readdirSync(root)) {
      writeFileSync(join(root, name, 'owner'), DEAD_OWNER);
      if (name.includes('.rescued-')) rmSync(join(root, name), { recursive: true });
    }
    await adopt();
    expect(
      await all(
        `select closed_at is null as is_open, spooled::int from emitter_books where instance_id = '${EMITTER.instanceId}'`,
      ),
    ).toEqual([{ is_open: true, spooled: 2 }]);
  });

  it('a process that is killed after the loss has its running steps closed, those of the lost emitter included', async () => {
    const process = await rig();
    const { root, folder, push, spool, adopt, drain } = process;
    await push(startOfSpan(spanOf(1)));
    await drain();
    rmSync(folder.directory, { recursive: true });
    await spool.keep();
    await push(spanOf(2));
    for (const name of readdirSync(root)) writeFileSync(join(root, name, 'owner'), DEAD_OWNER);
    await adopt();
    expect(await all(`select status from weather_forecast_steps order by started_at`)).toEqual([
      { status: 'abandoned' },
      { status: 'succeeded' },
    ]);
    expect(await all(BOOKS_OF_THE_RUN)).toMatchObject([{ ...complete, started: 2, recorded: 2 }]);
  });

  it('what it rescues is a whole spool of the lost emitter: start token, headers of segments, and a tail', async () => {
    const process = await rig();
    const { root, folder, push, spool } = process;
    const lost = readBooks(folder.directory)?.emitter;
    await push(spanOf(1), startOfSpan(spanOf(2)));
    rmSync(folder.directory, { recursive: true });
    await push(spanOf(3));
    await spool.keep();
    const books = readdirSync(root).map((name) => ({ name, emitter: readBooks(join(root, name))?.emitter }));
    const rescued = books.find(({ emitter }) => emitter?.instanceId === EMITTER.instanceId);
    expect(rescued?.emitter).toEqual(lost);
    expect(lost?.epoch).toBeDefined();
    expect(new Set(books.map(({ emitter }) => emitter?.epoch)).size, 'the new emitter has its own').toBe(2);
    const place = join(root, rescued?.name ?? '');
    expect(readSegment(readFileSync(segmentPath(place, 1)))).toMatchObject({
      format: WRITTEN_FORMAT,
      frames: [{ sequence: 1 }, { sequence: 2 }, { sequence: 3 }],
      damagedRanges: 0,
    });
    expect(readTail(place)).toMatchObject({ sequence: 3, isOpenEnd: false, isClosed: false });
  });

  it('the books stay open when something of the lost spool could not be read before it was lost', async () => {
    const process = await rig();
    const { folder, push, deliver, spool, drain, problems } = process;
    await push(spanOf(1), spanOf(2), spanOf(3));
    const segment = segmentPath(folder.directory, 1);
    const bytes = readFileSync(segment);
    bytes[bytes.indexOf('query')] = 0;
    writeFileSync(segment, bytes);
    await deliver();
    rmSync(folder.directory, { recursive: true });
    await spool.keep();
    await push(spanOf(4));
    await drain();
    await spool.finishRescued();
    await spool.finish();
    expect(problems).toEqual([expect.stringContaining('its books stay open')]);
    const open = 'select instance_id from emitter_books where closed_at is null';
    expect(await all(open)).toEqual([{ instance_id: EMITTER.instanceId }]);
    expect(await all('select missing_sequences is not null as gap from run_completeness')).toEqual([
      { gap: true },
    ]);
  });
});
