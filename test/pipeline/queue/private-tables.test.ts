import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attachErrorHandlers } from '#pipeline/queue/attach-error-handlers';
import { addJobs } from '#pipeline/queue/jobs';
import { JOBS_WITH_PAYLOAD } from '#pipeline/queue/private-tables';
import { migrateQueue } from '#pipeline/queue/worker';
import { openSession, type QueueDelivery } from '#pipeline/queue/worker-session';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { deleteJobs, lockFreeJobs, storeEndInPayloads } from '#test/support/private-jobs';

const ROOT = join(import.meta.dirname, '../../..');
/** The version that this contract was checked against. Another one needs every test here and this line. */
const CONTRACT_VERSION = '0.17.3';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateQueue(database.pool);
  attachErrorHandlers(database.pool, () => undefined);
});
afterAll(() => database.drop());

const rowsOf = async (sql: string, values: readonly unknown[] = []) =>
  (await database.pool.query<Record<string, unknown>>(sql, [...values])).rows;

/** The columns of a table or view of the queue: name, type, `not null`, and the expression of a generated one. */
async function columnsOf(relation: string): Promise<Record<string, string>> {
  const rows = await rowsOf(
    `select attname as name, concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
       case when attgenerated <> '' then pg_get_expr(adbin, adrelid) end) as type
     from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`pipeline.${relation}`],
  );
  return Object.fromEntries(rows.map(({ name, type }) => [String(name), String(type)]));
}

/** The columns of each primary and unique key. */
const keysOf = async (table: string): Promise<unknown[]> =>
  (
    await rowsOf(
      `select pg_get_constraintdef(oid) as key from pg_constraint
       where conrelid = $1::regclass and contype in ('p', 'u') order by 1`,
      [`pipeline.${table}`],
    )
  ).map(({ key }) => key);

describe('contract: version of graphile-worker', () => {
  const readJson = (path: string) =>
    JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as {
      readonly version: string;
      readonly dependencies: Readonly<Record<string, string>>;
    };

  it('graphile-worker is pinned exactly to the version of the contract', () => {
    expect(readJson('package.json').dependencies['graphile-worker']).toBe(CONTRACT_VERSION);
  });

  it('the installed version is the pinned one', () => {
    expect(readJson('node_modules/graphile-worker/package.json').version).toBe(CONTRACT_VERSION);
  });
});

describe('contract: private tables', () => {
  it('the jobs table has the columns that are read and written', async () => {
    expect(await columnsOf('_private_jobs')).toMatchObject({
      id: 'bigint not null',
      task_id: 'integer not null',
      payload: 'json not null',
      run_at: 'timestamp with time zone not null',
      attempts: 'smallint not null',
      locked_at: 'timestamp with time zone',
      locked_by: 'text',
      is_available: 'boolean not null ((locked_at IS NULL) AND (attempts < max_attempts))',
    });
  });

  it('the tasks table has the columns by which a job finds the name of its task', async () => {
    expect(await columnsOf('_private_tasks')).toMatchObject({
      id: 'integer not null',
      identifier: 'text not null',
    });
  });

  it('each job and each task has one row, so that a join repeats none', async () => {
    expect(await keysOf('_private_jobs')).toEqual(['PRIMARY KEY (id)', 'UNIQUE (key)']);
    expect(await keysOf('_private_tasks')).toEqual(['PRIMARY KEY (id)', 'UNIQUE (identifier)']);
  });

  it('the private tables have no trigger that an update of ours would fire', async () => {
    expect(
      await rowsOf(
        `select tgname from pg_trigger where tgrelid = 'pipeline._private_jobs'::regclass and not tgisinternal`,
      ),
    ).toEqual([]);
  });

  it('the public view shows all but payload, availability and ids', async () => {
    expect(Object.keys(await columnsOf('jobs'))).toEqual([
      ...[
        'id',
        'queue_name',
        'task_identifier',
        'priority',
        'run_at',
        'attempts',
        'max_attempts',
        'last_error',
      ],
      ...['created_at', 'updated_at', 'key', 'locked_at', 'locked_by', 'revision', 'flags'],
    ]);
  });
});

const JOB = { task: 'query', payload: { runId: 1, minerUid: 0, revision: 2 }, runAt: new Date(0) } as const;
const jobsNow = () =>
  rowsOf(`select id::int, task, payload, locked_at is not null as "isLocked", is_available as "isAvailable"
    from ${JOBS_WITH_PAYLOAD} as job order by id`);
const lockedJob = async (): Promise<number> => {
  await addJobs(database.pool, [JOB]);
  await lockFreeJobs(database.pool, { worker: 'pool-one', age: '1 hour', deliveries: 2 });
  const [job] = await jobsNow();
  return Number(job?.['id']);
};

describe('contract: a job in the private tables', () => {
  beforeEach(() => deleteJobs(database.pool));

  it('a job is queued unlocked, with task and payload, and in no named queue', async () => {
    await addJobs(database.pool, [JOB]);
    expect(await jobsNow()).toMatchObject([
      { task: 'query', payload: JOB.payload, isLocked: false, isAvailable: true },
    ]);
    expect(await rowsOf('select queue_name from pipeline.jobs')).toEqual([{ queue_name: null }]);
    expect(await rowsOf('select from pipeline._private_job_queues')).toEqual([]);
  });

  it('a job is not available while it is locked, nor after its last delivery', async () => {
    const id = await lockedJob();
    expect(await jobsNow()).toMatchObject([{ isLocked: true, isAvailable: false }]);
    await database.pool.query(`select pipeline.force_unlock_workers('{pool-one}')`);
    expect(await jobsNow()).toMatchObject([{ isLocked: false, isAvailable: true }]);
    await database.pool.query('select pipeline.permanently_fail_jobs(array[$1::bigint])', [id]);
    expect(await jobsNow()).toMatchObject([{ isLocked: false, isAvailable: false }]);
  });
});

describe('contract: public functions of the queue', () => {
  beforeEach(() => deleteJobs(database.pool));
  const locks = () => rowsOf('select attempts, locked_by from pipeline.jobs order by id');

  it('add_job does not change a locked job: it adds another and ends the first', async () => {
    const id = await lockedJob();
    const changed = JSON.stringify({ ...JOB.payload, end: 'end' });
    await database.pool.query(`select pipeline.add_job('query', $1::json, job_key => 'query:1:0:r2')`, [
      changed,
    ]);
    const [first, second] = await jobsNow();
    expect(first).toMatchObject({ id, payload: JOB.payload });
    expect(second).toMatchObject({ payload: { end: 'end' }, isLocked: false });
    expect(
      await rowsOf('select key, attempts = max_attempts as over from pipeline.jobs order by id'),
    ).toEqual([
      { key: null, over: true },
      { key: 'query:1:0:r2', over: false },
    ]);
  });

  it('force_unlock_workers unlocks all jobs of a worker, whatever their age, and counts the delivery', async () => {
    await lockedJob();
    await database.pool.query(`select pipeline.force_unlock_workers('{pool-two}')`);
    expect(await locks()).toEqual([{ attempts: 2, locked_by: 'pool-one' }]);
    await database.pool.query(`select pipeline.force_unlock_workers('{pool-one}')`);
    expect(await locks()).toEqual([{ attempts: 2, locked_by: null }]);
  });

  it('reschedule_jobs, permanently_fail_jobs and complete_jobs skip a locked job', async () => {
    const id = await lockedJob();
    for (const name of ['reschedule_jobs', 'permanently_fail_jobs', 'complete_jobs'])
      expect(await rowsOf(`select from pipeline.${name}(array[$1::bigint])`, [id])).toEqual([]);
    expect(await locks()).toEqual([{ attempts: 2, locked_by: 'pool-one' }]);
  });
});

describe('contract: a worker of the queue', () => {
  beforeEach(() => deleteJobs(database.pool));

  /** Works on the one job with `handle`, then stops. @returns the id of the pool */
  async function workOnce(handle: (delivery: QueueDelivery) => Promise<void>): Promise<string> {
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    await addJobs(database.pool, [JOB]);
    const session = await openSession({
      ...{ pool: database.pool, concurrency: 1, pollMillis: 60_000, stopMillis: 30_000 },
      ...{ orphanCheckMillis: 60_000, orphanGraceMillis: 60_000 },
      handle: (delivery) => {
        begin();
        return handle(delivery);
      },
      fence: () => Promise.resolve(),
      relayEnds: () => Promise.resolve(),
      onProblem: () => undefined,
    });
    await begun;
    await session.stop();
    return session.poolId;
  }

  it('a worker locks a job with the id of its pool, counts the delivery, and deletes the job when it is done', async () => {
    let underWay: unknown;
    const poolId = await workOnce(async ({ queueJobId }) => {
      underWay = await rowsOf(
        `select locked_by as "lockedBy", locked_at <= clock_timestamp() as "isLocked", attempts from pipeline.jobs
         where id = $1`,
        [queueJobId],
      );
    });
    expect(underWay).toEqual([{ lockedBy: poolId, isLocked: true, attempts: 1 }]);
    expect(await jobsNow()).toEqual([]);
  });

  it('a worker unlocks a failed job and leaves the end that an earlier version stored in it', async () => {
    await workOnce(async () => {
      await storeEndInPayloads(database.pool, 'end');
      throw new Error('no commit');
    });
    expect(await jobsNow()).toMatchObject([
      { payload: { ...JOB.payload, end: 'end' }, isLocked: false, isAvailable: true },
    ]);
  });
});

describe('private tables in the sources', () => {
  /** The files below these folders of the repository that name a private table. */
  const filesWithPrivateTables = (...folders: readonly string[]): readonly string[] =>
    folders
      .flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && /\.(?:ts|mjs|sql|json|ya?ml)$/.test(entry.name))
          .map(({ parentPath, name }) => join(parentPath, name)),
      )
      .filter((path) => readFileSync(path, 'utf8').includes('_private_'))
      .map((path) => posix.normalize(path.slice(ROOT.length + 1).replaceAll('\\', '/')))
      .sort();

  it('one source file names the private tables', () => {
    expect(filesWithPrivateTables('bench', 'dashboards', 'exporters', 'scripts', 'src')).toEqual([
      'src/pipeline/queue/private-tables.ts',
    ]);
  });

  it('one test support file names the private tables, besides this test', () => {
    expect(filesWithPrivateTables('test')).toEqual([
      'test/pipeline/queue/private-tables.test.ts',
      'test/support/private-jobs.ts',
    ]);
  });
});
