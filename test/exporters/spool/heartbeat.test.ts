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

/** Work that hangs until it is released, with a count of its concurrent calls. */
class HeldWork<Result> {
  calls = 0;
  running = 0;
  mostAtOnce = 0;
  readonly #result: Result;
  #releases: (() => void)[] = [];

  constructor(result: Result) {
    this.#result = result;
  }

  async do(): Promise<Result> {
    this.calls += 1;
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    await new Promise<void>((resolve) => this.#releases.push(resolve));
    this.running -= 1;
    return this.#result;
  }

  release(): void {
    for (const release of this.#releases.splice(0)) release();
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
    spool: Object.assign(spool, {
      keep: async () => void (counts.touches += 1),
      finishRescued: async () => undefined,
    }),
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

describe('startUpkeep', () => {
  it('a heartbeat is exported every ten seconds, before there is a record too', async () => {
    const { scheduler, accounts, push } = await rig();
    await scheduler.advance(30_000);
    expect(accounts.splice(0)).toMatchObject([0, 0, 0].map((lastSequence) => ({ lastSequence })));
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

  it('while the disk refuses the books, the database is told every second, and the operator once', async () => {
    const { scheduler, accounts, problems, spool, counts } = await rig();
    Object.defineProperty(spool, 'isBookless', { value: true, configurable: true });
    await scheduler.advance(5000);
    expect(accounts).toHaveLength(5);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('The disk of the spool refuses to be written');
    Object.defineProperty(spool, 'isBookless', { value: false });
    await scheduler.advance(4000);
    expect({ accounts: accounts.length, touches: counts.touches }).toEqual({ accounts: 5, touches: 9 });
  });

  it('an account that cannot be sent while the disk refuses the books ends no process, and the next second tries again', async () => {
    let calls = 0;
    const failing = async (): Promise<ExportReport> => {
      calls += 1;
      throw new Error('refused');
    };
    const { scheduler, spool, counts } = await rig({ sink: { export: failing } });
    Object.defineProperty(spool, 'isBookless', { value: true });
    await scheduler.advance(3000);
    expect({ calls, touches: counts.touches }).toEqual({ calls: 3, touches: 3 });
  });

  it('the lock is renewed while nothing is recorded, for hosts that cannot see the process', async () => {
    const { scheduler, counts } = await rig();
    await scheduler.advance(30_000);
    expect(counts.touches).toBe(30);
  });

  it('the lock is renewed while the database hangs, so that no process adopts the spool', async () => {
    const hanging = new HeldWork<ExportReport>({ kind: 'written' });
    const { scheduler, counts, push } = await rig({ sink: { export: () => hanging.do() } });
    await push(1);
    await scheduler.advance(120_000);
    expect({ touches: counts.touches, heartbeats: hanging.calls }).toEqual({ touches: 120, heartbeats: 1 });
  });

  it('a heartbeat that hangs is abandoned when the upkeep is stopped', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const sink: UpkeepOptions['sink'] = {
      export: (_, { signal } = {}) => {
        signals.push(signal);
        return new Promise((resolve) => {
          signal?.addEventListener('abort', () => resolve({ kind: 'retryable', error: new Error('gone') }));
        });
      },
    };
    const { scheduler, upkeep, problems } = await rig({ sink });
    await scheduler.advance(10_000);
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
    await upkeep.stop();
    expect(problems).toEqual([]);
  });

  it('a spool above 80 % of its limit raises a warning with its fill level', async () => {
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

  it('a rejected heartbeat is reported, and a retryable one is not', async () => {
    const answers: ExportReport[] = [
      { kind: 'retryable', error: new Error('away') },
      { kind: 'rejected', error: new Error('no such column') },
    ];
    const sink = { export: async () => answers.shift() ?? ({ kind: 'written' } as const) };
    const { scheduler, problems, push } = await rig({ sink });
    await push(1);
    await scheduler.advance(30_000);
    expect(problems).toEqual(['A heartbeat was rejected: Error: no such column']);
  });

  it('an error of one renewal does not stop the next ones', async () => {
    const { spool, scheduler, counts } = await rig();
    Object.assign(spool, {
      keep: async () => {
        counts.touches += 1;
        throw new Error('the disk is gone');
      },
    });
    await scheduler.advance(3000);
    expect(counts.touches).toBe(3);
  });
});

describe('startUpkeep: adoption', () => {
  it('adoption runs at once and every five seconds, and the first result is returned', async () => {
    const { scheduler, counts, upkeep } = await rig();
    expect(await upkeep.adopted).toEqual(SOME);
    await scheduler.advance(10_000);
    expect(counts.adoptions).toBe(3);
  });

  it('adoptions never overlap, however long one takes', async () => {
    const adoption = new HeldWork(SOME);
    const { scheduler } = await rig({ adopt: () => adoption.do() });
    await scheduler.advance(600_000);
    expect(adoption.calls).toBe(1);
    adoption.release();
    await scheduler.advance(5000);
    await scheduler.advance(600_000);
    expect({ calls: adoption.calls, mostAtOnce: adoption.mostAtOnce }).toEqual({ calls: 2, mostAtOnce: 1 });
  });

  it('a failed adoption is reported and repeated', async () => {
    let adoptions = 0;
    const adopt = async (): Promise<Adopted> => {
      adoptions += 1;
      throw new Error('read-only file system');
    };
    const { scheduler, problems, upkeep } = await rig({ adopt });
    await scheduler.advance(5000);
    expect(await upkeep.adopted).toEqual({ spools: 0, records: 0, closedSteps: 0 });
    expect(adoptions).toBe(2);
    expect(problems[0]).toMatch(/could not be adopted.*read-only file system/);
  });
});

describe('Upkeep.stop', () => {
  it('stop waits for running tasks and starts none', async () => {
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
      work.release();
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

  it('stop is immediate without running tasks, and the timers keep no process alive', async () => {
    const { scheduler, upkeep } = await rig();
    await upkeep.adopted;
    await settlePromises();
    expect(scheduler.pending.map(({ keepsProcessAlive }) => keepsProcessAlive)).not.toContain(true);
    await upkeep.stop();
    expect(scheduler.pending).toEqual([]);
  });
});
