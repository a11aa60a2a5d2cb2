import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PipelineState } from '#facts/pipeline-state';
import { startStateReading } from '#recorder/pipeline-state-poller';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('the reading of the state', () => {
  it('the reading of the state shows what it read, at once', async () => {
    const states: PipelineState[] = [];
    const problems: string[] = [];
    const close = startStateReading({
      pool: database.pool,
      show: (state) => states.push(state),
      onProblem: (message) => problems.push(message),
    });
    await expect.poll(() => states).toHaveLength(1);
    await close();
    expect(states[0]).toMatchObject({ openRuns: [], missingRecords: 0 });
    expect(problems).toEqual([]);
  });

  describe('from a database that is away', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('the reading of the state from a database that is away rests nine times as long as it took, and at most half a minute', async () => {
      const clock = { millis: 0 };
      const takes = [1000, 60_000, 0];
      const starts: number[] = [];
      const connect = () => {
        starts.push(Date.now());
        clock.millis += takes.shift() ?? 0;
        return Promise.reject(new Error('the database is away'));
      };
      vi.useFakeTimers({ now: 0 });
      const close = startStateReading({
        pool: { connect } as unknown as Pool,
        show: () => undefined,
        onProblem: () => undefined,
        monotonic: () => clock.millis,
      });
      await vi.advanceTimersByTimeAsync(45_000);
      expect(starts).toEqual([0, 9000, 39_000, 44_000]);
      await close();
    });

    it('the reading of the state from a database that is away reads as often as it is asked to', async () => {
      const starts: number[] = [];
      const connect = () => {
        starts.push(Date.now());
        return Promise.reject(new Error('the database is away'));
      };
      vi.useFakeTimers({ now: 0 });
      const close = startStateReading({
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

    it('the reading of the state from a database that is away tells it once, tries again every five seconds, and tells the next outage anew', async () => {
      const connect = vi.fn(() => Promise.reject(new Error('the database is away')));
      const problems: string[] = [];
      const states: PipelineState[] = [];
      const pool = { connect: () => connect() } as unknown as Pool;
      const close = startStateReading({
        pool,
        show: (state) => states.push(state),
        onProblem: (message) => problems.push(message),
        monotonic: () => 0,
      });
      await vi.advanceTimersByTimeAsync(15_000);
      expect([connect.mock.calls.length, problems.length]).toEqual([4, 1]);
      expect(problems[0]).toBe(
        'The state of the pipeline could not be read, and its metrics go after a minute: the database is away. ' +
          'It is tried again until it can be.',
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
