import { describe, expect, it } from 'vitest';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { ExportReport } from '#exporters/export-report';
import type { Adopted } from '#spool/recovery/adopt-spools';
import { startUpkeep, type UpkeepOptions } from '#spool/heartbeat';
import { temporaryFolder } from '#test/support/temporary-folder';
import { ManualScheduler, settlePromises } from '../processor/manual-scheduler.ts';
import { spanOf, SpoolBench } from './support/spool-bench.ts';

const SOME: Adopted = { spools: 1, records: 2, closedSteps: 3 };
const LIMIT_BYTES = 10_000;

/** Something that is done until it is let go, and knows how often it is done at once. */
class HeldWork<Result> {
  calls = 0;
  underWay = 0;
  mostAtOnce = 0;
  readonly #result: Result;
  #letGo: (() => void)[] = [];

  constructor(result: Result) {
    this.#result = result;
  }

  async do(): Promise<Result> {
    this.calls += 1;
    this.underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay);
    await new Promise<void>((resolve) => this.#letGo.push(resolve));
    this.underWay -= 1;
    return this.#result;
  }

  letGo(): void {
    for (const end of this.#letGo.splice(0)) end();
  }
}

async function rig(changes: Partial<UpkeepOptions> = {}) {
  const bench = new SpoolBench(await temporaryFolder());
  const spool = bench.open();
  const scheduler = new ManualScheduler();
  const accounts: (EmitterAccount | undefined)[] = [];
  const problems: string[] = [];
  const counts = { touches: 0, adoptions: 0 };
  const options: UpkeepOptions = {
    spool,
    folder: {
      directory: '/data/spool/mine',
      lock: {
        touch: async () => (counts.touches += 1) > 0,
        release: async () => undefined,
      },
    },
    limitBytes: LIMIT_BYTES,
    sink: {
      export: async (spans, { account } = {}) => {
        expect(spans).toEqual([]);
        accounts.push(account);
        return { kind: 'written' };
      },
    },
    adopt: async () => {
      counts.adoptions += 1;
      return SOME;
    },
    scheduler,
    onProblem: (message) => problems.push(message),
    ...changes,
  };
  const push = async (at: number): Promise<void> => {
    spool.push(spanOf(at), 0);
    await Promise.resolve();
  };
  return { spool, scheduler, accounts, problems, counts, push, upkeep: startUpkeep(options) };
}

describe('the upkeep of a spool', () => {
  it('the upkeep of a spool says every ten seconds that its process lives, once there is something to tell of it', async () => {
    const { scheduler, accounts, push } = await rig();
    await scheduler.advance(30_000);
    expect(accounts, 'of a process that records nothing there is no emitter').toEqual([]);
    await push(1);
    await scheduler.advance(20_000);
    expect(accounts).toHaveLength(2);
    expect(accounts[0]).toMatchObject({
      instanceId: 'instance-1',
      isOwn: true,
      isClosed: false,
      lastSequence: 1,
    });
  });

  it('the upkeep of a spool touches its lock also while nothing is recorded, for those who cannot see its process', async () => {
    const { scheduler, counts } = await rig();
    await scheduler.advance(30_000);
    expect(counts.touches).toBe(3);
  });

  it('the upkeep of a spool goes on to touch its lock while the database hangs: nobody may take a living process for dead', async () => {
    const hanging = new HeldWork<ExportReport>({ kind: 'written' });
    const { scheduler, counts, push } = await rig({ sink: { export: () => hanging.do() } });
    await push(1);
    await scheduler.advance(120_000);
    expect({ touches: counts.touches, heartbeats: hanging.calls }).toEqual({ touches: 12, heartbeats: 1 });
  });

  it('the upkeep of a spool warns from 80 % of its limit on, with how full it is', async () => {
    const { spool, scheduler, problems, push } = await rig();
    let at = 0;
    const fillTo = async (bytes: number): Promise<void> => {
      while (spool.bytes + 800 < bytes) await push((at += 1));
    };
    await fillTo(0.79 * LIMIT_BYTES);
    await scheduler.advance(10_000);
    expect(problems).toEqual([]);
    await fillTo(0.95 * LIMIT_BYTES);
    await scheduler.advance(10_000);
    expect(problems).toEqual([
      expect.stringMatching(/^The spool is (8|9)\d % full; .*Is the database reachable\?$/),
    ]);
  });

  it('the upkeep of a spool tells that somebody else took its lock, and where', async () => {
    const lock = { touch: async () => false, release: async () => undefined };
    const { scheduler, problems } = await rig({ folder: { directory: '/data/spool/mine', lock } });
    await scheduler.advance(10_000);
    expect(problems).toEqual([
      'Another process has taken over /data/spool/mine: nothing more is recorded. Start this one again.',
    ]);
  });

  it('the upkeep of a spool tells of a heartbeat that is refused, not of one that may be taken later', async () => {
    const answers: ExportReport[] = [
      { kind: 'retryable', error: new Error('away') },
      { kind: 'rejected', error: new Error('no such column') },
    ];
    const sink = { export: async () => answers.shift() ?? ({ kind: 'written' } as const) };
    const { scheduler, problems, push } = await rig({ sink });
    await push(1);
    await scheduler.advance(30_000);
    expect(problems).toEqual(['A heartbeat was refused: Error: no such column']);
  });

  it('the upkeep of a spool goes on after a time that failed, whatever it failed with', async () => {
    let touches = 0;
    const touch = async (): Promise<boolean> => {
      touches += 1;
      throw new Error('the disk is gone');
    };
    const lock = { touch, release: async () => undefined };
    const { scheduler } = await rig({ folder: { directory: '', lock } });
    await scheduler.advance(30_000);
    expect(touches).toBe(3);
  });
});

describe('the adoption of spools', () => {
  it('the adoption of spools begins at once and is done again every minute, and what came of the first is known', async () => {
    const { scheduler, counts, upkeep } = await rig();
    expect(await upkeep.adopted).toEqual(SOME);
    await scheduler.advance(120_000);
    expect(counts.adoptions).toBe(3);
  });

  it('the adoption of spools is never done twice at a time, however long one takes, the first included', async () => {
    const adoption = new HeldWork(SOME);
    const { scheduler } = await rig({ adopt: () => adoption.do() });
    await scheduler.advance(600_000);
    expect(adoption.calls).toBe(1);
    adoption.letGo();
    await scheduler.advance(60_000);
    await scheduler.advance(600_000);
    expect({ calls: adoption.calls, mostAtOnce: adoption.mostAtOnce }).toEqual({ calls: 2, mostAtOnce: 1 });
  });

  it('the adoption of spools that fails is told and done again, and ends no process', async () => {
    let adoptions = 0;
    const adopt = async (): Promise<Adopted> => {
      adoptions += 1;
      throw new Error('read-only file system');
    };
    const { scheduler, problems, upkeep } = await rig({ adopt });
    await scheduler.advance(60_000);
    expect(await upkeep.adopted).toEqual({ spools: 0, records: 0, closedSteps: 0 });
    expect(adoptions).toBe(2);
    expect(problems[0]).toMatch(/could not be looked after.*read-only file system/);
  });
});

describe('the end of the upkeep', () => {
  it('the end of the upkeep waits for what is under way, and nothing begins any more', async () => {
    const [heartbeat, adoption] = [new HeldWork<ExportReport>({ kind: 'written' }), new HeldWork(SOME)];
    const { scheduler, counts, push, upkeep } = await rig({
      sink: { export: () => heartbeat.do() },
      adopt: () => adoption.do(),
    });
    await push(1);
    await scheduler.advance(10_000);
    let isOver = false;
    const stopped = upkeep.stop().then(() => (isOver = true));
    for (const work of [heartbeat, adoption]) {
      await settlePromises();
      expect(isOver).toBe(false);
      work.letGo();
    }
    await stopped;
    const before = { ...counts };
    await scheduler.advance(600_000);
    expect({ ...counts, heartbeats: heartbeat.calls, adoptions: adoption.calls }).toEqual({
      ...before,
      heartbeats: 1,
      adoptions: 1,
    });
    expect(scheduler.pending).toEqual([]);
  });

  it('the end of the upkeep is at once where nothing is under way, and keeps no process alive before', async () => {
    const { scheduler, upkeep } = await rig();
    await upkeep.adopted;
    await settlePromises();
    expect(scheduler.pending.map(({ keepsProcessAlive }) => keepsProcessAlive)).not.toContain(true);
    await upkeep.stop();
    expect(scheduler.pending).toEqual([]);
  });
});
