import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PipelineState } from '#facts/pipeline-state';
import { startPipelineStatePoller } from '#recorder/pipeline-state-poller';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('startPipelineStatePoller', () => {
  it('the pipeline state is shown at once after the start', async () => {
    const states: PipelineState[] = [];
    const problems: string[] = [];
    const close = startPipelineStatePoller({
      pool: database.pool,
      show: (state) => states.push(state),
      onProblem: (message) => problems.push(message),
    });
    await expect.poll(() => states).toHaveLength(1);
    await close();
    expect(states[0]).toMatchObject({ openRuns: [], missingRecords: 0 });
    expect(problems).toEqual([]);
  });

  describe('while the database is away', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('a poll is followed by a rest of nine times its duration, at most half a minute', async () => {
      const clock = { millis: 0 };
      const takes = [1000, 60_000, 0];
      const starts: number[] = [];
      const connect = () => {
        starts.push(Date.now());
        clock.millis += takes.shift() ?? 0;
        return Promise.reject(new Error('the database is away'));
      };
      vi.useFakeTimers({ now: 0 });
      const close = startPipelineStatePoller({
        pool: { connect } as unknown as Pool,
        show: () => undefined,
        onProblem: () => undefined,
        monotonic: () => clock.millis,
      });
      await vi.advanceTimersByTimeAsync(45_000);
      expect(starts).toEqual([0, 9000, 39_000, 44_000]);
      await close();
    });

    it('the state is polled at the interval that the options give', async () => {
      const starts: number[] = [];
      const connect = () => {
        starts.push(Date.now());
        return Promise.reject(new Error('the database is away'));
      };
      vi.useFakeTimers({ now: 0 });
      const close = startPipelineStatePoller({
        pool: { connect } as unknown as Pool,
        show: () => undefined,
        everyMillis: 300,
        onProblem: () => undefined,
        monotonic: () => 0,
      });
      await vi.advanceTimersByTimeAsync(700);
      expect(starts).toEqual([0, 300, 600]);
      await close();
    });

    it('an outage is reported once and retried every five seconds, and the next outage is reported again', async () => {
      const connect = vi.fn(() => Promise.reject(new Error('the database is away')));
      const problems: string[] = [];
      const states: PipelineState[] = [];
      const pool = { connect: () => connect() } as unknown as Pool;
      const close = startPipelineStatePoller({
        pool,
        show: (state) => states.push(state),
        onProblem: (message) => problems.push(message),
        monotonic: () => 0,
      });
      await vi.advanceTimersByTimeAsync(15_000);
      expect([connect.mock.calls.length, problems.length]).toEqual([4, 1]);
      expect(problems[0]).toBe(
        'The state of the pipeline could not be read: the database is away. ' +
          'Its metrics expire after a minute unless a retry succeeds.',
      );
      connect.mockImplementationOnce((): Promise<never> => database.pool.connect() as Promise<never>);
      await vi.advanceTimersByTimeAsync(5000);
      vi.useRealTimers();
      await expect.poll(() => states).toHaveLength(1);
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      await close();
      expect(problems).toHaveLength(1);
    });
  });
});
