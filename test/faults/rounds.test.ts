import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SPOOL_FORMATS } from '#spool/format/frame';
import { messageOf } from '#semconv/message-of';
import { createRandom, deriveSeed } from '#world';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';
import {
  allowanceOf,
  describeRound,
  drawRound,
  mayOvertake,
  type Allowance,
  type RoundPlan,
} from './support/fault-round.ts';
import { bundleRecorder, type RecorderBundle } from './support/recorder-process.ts';
import { runRound, type RoundEnd } from './support/run-round.ts';

/** Rounds of one process each; what befalls it and its files is drawn from the seed. */
const ROUNDS = wholeNumberOf('BAROGRAPH_FAULT_ROUNDS', 16);
/** To look at one round alone. */
const FIRST = wholeNumberOf('BAROGRAPH_FAULT_FIRST_ROUND', 1);

/** Records of the last two milliseconds before a kill, whose numbers nobody has if they are cut off; the books are open then. */
const MOST_UNTOLD = 32;

/** Of a process that went on for a moment while its adopter numbered the closings of its steps. */
const OVERTAKEN = 'arrived again with other spans';

const possible = { canMount: canMount(), canUnshare: canUnshare(), formats: SPOOL_FORMATS };

/** Whether this user may mount a disk, as root may outside most containers. */
function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'barograph-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]).status === 0;
  if (mounted) spawnSync('umount', [place]);
  rmdirSync(place);
  return mounted;
}

function canUnshare(): boolean {
  return spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
}

const rounds = Array.from({ length: ROUNDS }, (_, at) => {
  const number = FIRST + at;
  const random = createRandom(deriveSeed(FAULT_SEED, `round ${number}`));
  const plan = drawRound(random, possible);
  return { number, random, plan, words: describeRound(plan) };
});

interface Tally {
  rounds: number;
  acknowledged: number;
  recorded: number;
  lost: number;
  withLoss: number;
  missing: number;
  dropped: number;
  /** Lost steps of rounds whose books are closed and clean over them. */
  untold: number;
}
const tallies = new Map<Allowance, Tally>();

let database: TestDatabase;
let bundle: RecorderBundle;
const bundleFolder = join(import.meta.dirname, `../../node_modules/.cache/barograph-recorder-${process.pid}`);
beforeAll(async () => {
  bundle = await bundleRecorder(bundleFolder);
  database = await createTestDatabase();
  if (!possible.canMount) console.info('There is no right to mount a disk here: no disk is full.');
  if (!possible.canUnshare) console.info('There is no right to make a pid namespace here: none is drawn.');
});
afterAll(async () => {
  await database.drop();
  rmSync(bundleFolder, { recursive: true, force: true });
  console.table(Object.fromEntries(tallies));
});

const all = async <Row extends object>(sql: string, values: readonly unknown[]): Promise<readonly Row[]> =>
  (await database.pool.query<Row>(sql, [...values])).rows;

/** What the tables say of a round. */
async function readBooks(validator: string) {
  const spans = await all<{ id: string }>(
    `select span_id as id from weather_forecast_steps_finished step join validators on validators.id = validator_id
     where hotkey = $1 and status <> 'abandoned'`,
    [validator],
  );
  const [emitters] = await all<
    Record<'missing' | 'dropped' | 'open', number> & { conflicts: readonly string[] }
  >(
    `select
       coalesce(sum((select sum(upper(part) - lower(part)) from unnest(missing) as part)), 0)::int as missing,
       coalesce(sum((select sum(upper(part) - lower(part)) from unnest(dropped) as part)), 0)::int as dropped,
       count(*) filter (where closed_at is null)::int as open,
       array_remove(array_agg(conflict), null) as conflicts
     from emitter_books where validator_hotkey = $1`,
    [validator],
  );
  const runs = await all<{ run: string; unaccounted: number; is_clean: boolean }>(
    `select run_id as run, unaccounted::int,
       unaccounted = 0 and missing_sequences is null and dropped = 0 and in_flight = 0 and spooled = 0 as is_clean
     from run_completeness where validator_hotkey = $1`,
    [validator],
  );
  return {
    recorded: new Set(spans.map(({ id }) => id)),
    ...(emitters ?? { missing: 0, dropped: 0, open: 0, conflicts: [] }),
    runs,
  };
}

/** What was acknowledged is recorded, or counted, or behind open books; and no book is clean over a loss. */
async function judge(plan: RoundPlan, validator: string, end: RoundEnd) {
  const { acknowledged, folders, problems } = end;
  const allowance = allowanceOf(plan, end.noticed >= end.losses);
  const cutsEnd = plan.onRemains.some((fault) => fault.includes('segment'));
  const books = await readBooks(validator);
  const { recorded, missing, dropped, open, runs } = books;
  const lost = [...acknowledged].filter(([id]) => !recorded.has(id));
  expect(Math.min(0, ...runs.map(({ unaccounted }) => unaccounted)), 'unaccounted').toBe(0);
  expect(
    folders.filter((folder) => !folder.endsWith('.unreadable')),
    `not adopted: ${problems.join('\n')}`,
  ).toEqual([]);
  if (allowance === 'nothing') {
    expect(lost.length, 'lost').toBe(0);
    expect(books).toMatchObject({ missing: 0, dropped: 0, open: 0 });
    const isOvertaken = mayOvertake(plan) && books.conflicts.every((text) => text.includes(OVERTAKEN));
    if (!isOvertaken) expect(books.conflicts).toEqual([]);
    expect(runs.filter(({ is_clean }) => !is_clean)).toEqual([]);
  }
  const untold = cutsEnd && open > 0 ? MOST_UNTOLD : 0;
  const isCounted = missing + dropped + untold >= lost.length;
  // A run of which nothing came has no row; the books of the process show the gap.
  const clean = new Set(runs.filter(({ is_clean }) => is_clean).map(({ run }) => run));
  const inClean = lost.filter(([, run]) => clean.has(run)).length;
  const isTold =
    allowance === 'counted' ? isCounted && inClean === 0 : open > 0 || (isCounted && inClean === 0);
  if (allowance !== 'unnoticed')
    expect(
      isTold,
      `${lost.length} lost, ${missing + dropped} counted, ${inClean} in clean runs, ${open} open`,
    ).toBe(true);
  if (missing > 0) expect(open, 'books that are closed over missing records').toBeGreaterThan(0);
  const tally = tallies.get(allowance) ?? {
    ...{ rounds: 0, acknowledged: 0, recorded: 0, lost: 0, withLoss: 0, missing: 0, dropped: 0, untold: 0 },
  };
  tally.rounds += 1;
  tally.acknowledged += acknowledged.size;
  tally.recorded += acknowledged.size - lost.length;
  tally.lost += lost.length;
  tally.withLoss += lost.length > 0 ? 1 : 0;
  tally.missing += missing;
  tally.dropped += dropped;
  tally.untold += isTold ? 0 : lost.length;
  tallies.set(allowance, tally);
}

describe('a process that everything may befall', () => {
  it.concurrent.each(rounds)('round $number: $words', async ({ number, random, plan, words }) => {
    const validator = `round-${number}`;
    try {
      const end = await runRound(plan, {
        ...{ databaseUrl: database.connectionString, pool: database.pool, validatorHotkey: validator },
        ...{ seed: FAULT_SEED + number, random, bundle },
      });
      expect(end.exitCode ?? 0, end.stderr).toBe(0);
      await judge(plan, validator, end).catch((error: unknown) => {
        throw new Error(`${messageOf(error)}; the process said: ${end.stderr}`, { cause: error });
      });
    } catch (error) {
      // At once: the report of all rounds comes at the end, which may be half an hour away.
      console.error(`Seed ${FAULT_SEED}, round ${number} failed (${words}): ${messageOf(error)}`);
      throw error;
    }
  });
});
