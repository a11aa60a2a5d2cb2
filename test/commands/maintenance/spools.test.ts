import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { spoolsCommand } from '#commands/maintenance/spools';
import { createPostgresExporter } from '#postgres/exporter';
import { toSink } from '#postgres/span-sink';
import { spoolRoot } from '#recorder/process-spool';
import { listSegments, segmentPath } from '#spool/segments/segment-files';
import { claimFolder } from '#spool/spool-folder';
import { Spool } from '#spool/spool';
import { adoptInto } from '#test/exporters/spool/support/adopt-into';
import { EMITTER, spanOf } from '#test/exporters/spool/support/spool-bench';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { emptyTables } from '#test/support/tables';
import { temporaryFolder } from '#test/support/temporary-folder';
import { invoke, type Invocation } from '../support/invoke.ts';

const RECORDS = 20;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

/** The spool of a dead process, and the commands on its data directory. */
async function deadProcess() {
  const dataDirectory = await temporaryFolder();
  const root = spoolRoot({
    config: { dataDirectory },
    database: { connectionString: database.connectionString, kind: 'given' },
  });
  const directory = join(root, EMITTER.instanceId);
  mkdirSync(directory, { recursive: true });
  const spool = new Spool({
    ...{ directory, emitter: EMITTER, segmentBytes: 2000, limitBytes: 1_000_000, durability: 'system' },
    listener: { dropped: () => undefined, added: () => undefined },
  });
  for (let at = 0; at < RECORDS; at += 1) {
    spool.push(spanOf(at), 0);
    spool.flushNow();
  }
  spool.close();
  const env = { DATABASE_URL: database.connectionString, BAROGRAPH_DATA_DIR: dataDirectory };
  const spools = (...args: readonly string[]): Promise<Invocation> => invoke(spoolsCommand(), args, env);
  return { root, directory, spools };
}

/** Damages the second segment, and lets the spool be adopted. @returns how the segment is mended */
async function adoptDamaged({ root, directory }: { readonly root: string; readonly directory: string }) {
  const bytes = readFileSync(segmentPath(directory, 2));
  writeFileSync(
    segmentPath(directory, 2),
    bytes.map((byte) => byte ^ 0x55),
  );
  const { problems } = await adoptInto(root, toSink(createPostgresExporter({ pool: database.pool })));
  expect(problems).toHaveLength(1);
  const place = `${directory}.unreadable`;
  return { place, mend: () => writeFileSync(segmentPath(place, 2), bytes) };
}

const books = async () =>
  (
    await database.pool.query<{ missing: string; is_open: boolean; steps: number; complete: boolean | null }>(
      `select missing::text, closed_at is null as is_open, (select count(*)::int from weather_forecast_steps) as steps,
         (select bool_and(unaccounted = 0 and missing_sequences is null) from run_completeness) as complete
       from emitter_books`,
    )
  ).rows[0];

describe('barograph spools list and inspect', () => {
  it('list names each folder with its owner, format, records and what of it cannot be read', async () => {
    const { directory, spools } = await deadProcess();
    const listed = await spools('list');
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(listed.stdout).toMatch(/folder +owner +format +records +undelivered +bytes +unreadable/);
    expect(listed.stdout).toMatch(/instance-1 +dead +2 +20 +20 +\d+ +–/);
    const { spools: documents } = JSON.parse((await spools('list', '--json')).stdout) as {
      spools: unknown[];
    };
    expect(documents).toEqual([
      expect.objectContaining({
        folder: directory,
        owner: 'dead',
        formats: [2],
        records: 20,
        undelivered: 20,
      }),
    ]);
  });

  it.each([
    ['another boot or container', 'other-boot/pid:[4026531836]', 'unknown (heartbeat 3 h ago)'],
    ['an earlier version on another host', 'other-host/pid:[4026531836]', 'unknown (heartbeat 3 h ago)'],
  ])(
    'an owner of %s is called unknown, with the age of its heartbeat and what it means',
    async (_, place, shown) => {
      const { directory, spools } = await deadProcess();
      writeFileSync(join(directory, 'owner'), `4194000-1 token ${place} 1-1`);
      const beat = new Date(Date.now() - 3.5 * 3_600_000);
      utimesSync(join(directory, 'owner'), beat, beat);
      const { stdout } = await spools('list');
      expect(stdout).toMatch(new RegExp(`instance-1 +${shown.replaceAll(/[()]/g, '\\$&')} +2 `));
      expect(stdout).toContain('unknown: the owner is of another container or of an earlier boot');
      expect((await spools('inspect', directory)).stdout).toContain(`${directory} (${shown})`);
      expect(JSON.parse((await spools('inspect', directory, '--json')).stdout)).toMatchObject({
        owner: 'unknown',
        heartbeat_at: beat.toISOString(),
      });
    },
  );

  it('an owner that lives on this machine is called living, and needs no explanation', async () => {
    const { root, spools } = await deadProcess();
    const folder = await claimFolder(root, EMITTER.instanceId);
    const { stdout } = await spools('list');
    expect(stdout).toMatch(/instance-1 +living +2 /);
    expect(stdout).not.toContain('unknown');
    await folder?.lock.release();
  });

  it('inspect shows each segment with format, numbers and damage, and the books and the tail', async () => {
    const spool = await deadProcess();
    const { place } = await adoptDamaged(spool);
    const { stdout, exitCode } = await spool.spools('inspect', place);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${place} (set aside)`);
    expect(stdout).toContain('Process: instance-1 of 5Validator');
    expect(stdout).toMatch(/ +2 +\? +\d+ +0 +– +0 +0 +1 +\d+/);
    expect(JSON.parse((await spool.spools('inspect', place, '--json')).stdout)).toMatchObject({
      owner: 'set_aside',
      last_sequence: RECORDS,
      segments: [{ number: 2, format: null, records: 0, damaged_ranges: 1 }],
      tail: { sequence: RECORDS, durability: 'system' },
    });
  });

  it('a folder that does not exist is named together with the command that lists the folders', async () => {
    const { spools } = await deadProcess();
    const { exitCode, stderr } = await spools('inspect', '/nowhere');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('/nowhere is no folder. `barograph spools list`');
  });
});

describe('barograph spools replay', () => {
  it('books over a set-aside spool stay open until all of it could be replayed, and are then closed', async () => {
    const spool = await deadProcess();
    const { place, mend } = await adoptDamaged(spool);
    const before = await books();
    expect(before).toMatchObject({ is_open: true, complete: false });
    expect(before?.missing).not.toBe('{}');
    expect((await spool.spools('replay', place)).stdout).toContain(
      'Not readable: 0 records; segment 2 (damaged)',
    );
    expect(await books(), 'nothing of it could be read').toEqual(before);
    mend();
    const { stdout } = await spool.spools('replay', place);
    expect(stdout).toContain('All of it could be read.');
    expect(await books()).toEqual({ missing: '{}', is_open: false, steps: RECORDS, complete: true });
    expect(listSegments(place), 'the folder stays').toHaveLength(1);
  });

  it('a spool of another database is refused', async () => {
    const spool = await deadProcess();
    const elsewhere = join(spool.root, '..', 'other-12345678', 'instance-1');
    mkdirSync(elsewhere, { recursive: true });
    const { exitCode, stderr } = await spool.spools('replay', elsewhere);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('was written for the database other-12345678');
  });
});

describe('barograph spools drop', () => {
  it('the loss is named first, and nothing is removed without --yes', async () => {
    const { directory, spools } = await deadProcess();
    const { exitCode, stderr } = await spools('drop', directory);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/holds \d+ bytes with 20 records, of which 20 are not known to be delivered/);
    expect(stderr).toContain('Repeat with --yes');
    expect(listSegments(directory).length).toBeGreaterThan(1);
  });

  it('the numbers of a dropped spool stay missing in the books of its process', async () => {
    const { root, directory, spools } = await deadProcess();
    const { exitCode, stdout } = await spools('drop', directory, '--yes');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Their numbers stay missing in the books.');
    expect(readdirSync(root)).toEqual([]);
    expect(await books()).toMatchObject({ missing: `{[1,${RECORDS + 1})}`, is_open: true });
  });
});
