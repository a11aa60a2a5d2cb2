import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PipelineState } from '../src/facts/pipeline-state.ts';
import { startStateReading } from '../src/state-reading.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('the reading of the state', () => {
  it('shows what it read, at once', async () => {
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

    it('tells it once, tries again every five seconds, and tells the next outage anew', async () => {
      const connect = vi.fn(() => Promise.reject(new Error('the database is away')));
      const problems: string[] = [];
      const states: PipelineState[] = [];
      const pool = { connect: () => connect() } as unknown as Pool;
      const close = startStateReading({
        pool,
        show: (state) => states.push(state),
        onProblem: (message) => problems.push(message),
      });
      await vi.advanceTimersByTimeAsync(15_000);
      expect([connect.mock.calls.length, problems.length]).toEqual([4, 1]);
      expect(problems[0]).toBe(
        'The state of the pipeline could not be read, and its metrics go after a minute: the database is away. ' +
          'It is tried again every 5 seconds.',
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
