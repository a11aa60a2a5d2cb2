import { describe, expect, it } from 'vitest';
import { dueCycle, keepSchedule } from '#commands/work/daily-schedule';
import { timeOfDay } from '#commands/work/time-of-day';

const AT = timeOfDay('18:00');
const HOUR = 3_600_000;
const instant = (text: string): Date => new Date(text);

/** A day's clock that only sleeping moves, and a schedule that runs on it until `until`. */
async function scheduled(from: string, until: string, options: Partial<ScheduledOptions> = {}) {
  const { onDue = () => Promise.resolve(), once = false, jump = (millis: number) => millis } = options;
  let now = instant(from).getTime();
  const end = instant(until).getTime();
  const controller = new AbortController();
  const asked: { readonly cycle: string; readonly at: string }[] = [];
  const problems: unknown[] = [];
  const sleeps: number[] = [];
  const ended = keepSchedule({
    at: AT,
    once,
    signal: controller.signal,
    now: () => new Date(now),
    sleep: async (millis) => {
      sleeps.push(millis);
      now += jump(millis);
      if (now >= end) controller.abort(new Error('the test is over'));
      controller.signal.throwIfAborted();
    },
    onDue: async (initTime) => {
      asked.push({ cycle: initTime.toISOString(), at: new Date(now).toISOString() });
      await onDue(asked.length);
    },
    onProblem: (problem) => void problems.push(problem),
  });
  const outcome = await ended.then(
    () => 'done',
    (error: unknown) => String(error),
  );
  return { asked, problems, sleeps, outcome };
}

interface ScheduledOptions {
  readonly onDue: (time: number) => Promise<void>;
  readonly once: boolean;
  /** How far the clock goes when so much was slept. */
  readonly jump: (millis: number) => number;
}

describe('dueCycle', () => {
  it.each([
    ['2026-11-23T17:59:59.999Z', null],
    ['2026-11-23T18:00:00Z', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23T23:59:59Z', '2026-11-23T00:00:00.000Z'],
    ['2026-11-24T00:00:00Z', null],
  ])('the cycle that is due at %s is %s', (now, expected) => {
    expect(dueCycle(instant(now), AT)?.toISOString() ?? null).toBe(expected);
  });

  it('a cycle at midnight is due all day', () => {
    expect(dueCycle(instant('2026-11-23T00:00:00Z'), 0)?.toISOString()).toBe('2026-11-23T00:00:00.000Z');
  });
});

describe('keepSchedule', () => {
  it("the run of the date's 00Z cycle is requested once a day, at the given time", async () => {
    const { asked, outcome } = await scheduled('2026-11-23T12:00:00Z', '2026-11-26T12:00:00Z');
    expect(asked).toEqual([
      { cycle: '2026-11-23T00:00:00.000Z', at: '2026-11-23T18:00:00.000Z' },
      { cycle: '2026-11-24T00:00:00.000Z', at: '2026-11-24T18:00:00.000Z' },
      { cycle: '2026-11-25T00:00:00.000Z', at: '2026-11-25T18:00:00.000Z' },
    ]);
    expect(outcome).toContain('the test is over');
  });

  it('a start after the given time requests the run at once, so that a restart does not lose the day', async () => {
    const { asked } = await scheduled('2026-11-23T21:34:56Z', '2026-11-24T17:00:00Z');
    expect(asked).toEqual([{ cycle: '2026-11-23T00:00:00.000Z', at: '2026-11-23T21:34:56.000Z' }]);
  });

  it('a failed request is reported and retried every minute', async () => {
    const { asked, problems } = await scheduled('2026-11-23T17:59:30Z', '2026-11-23T20:00:00Z', {
      onDue: async (time) => {
        if (time < 3) throw new Error(`attempt ${time}`);
      },
    });
    expect(asked.map(({ at }) => at)).toEqual([
      '2026-11-23T18:00:00.000Z',
      '2026-11-23T18:01:00.000Z',
      '2026-11-23T18:02:00.000Z',
    ]);
    expect(problems).toEqual([new Error('attempt 1'), new Error('attempt 2')]);
  });

  it('a day without a run is given up at its end, and the schedule continues with the next day', async () => {
    const { asked } = await scheduled('2026-11-23T23:58:30Z', '2026-11-24T18:01:00Z', {
      onDue: async (time) => {
        if (time < 3) throw new Error('down');
      },
    });
    expect(asked.map(({ cycle }) => cycle.slice(0, 10))).toEqual(['2026-11-23', '2026-11-23', '2026-11-24']);
  });

  it('no sleep is longer than a minute, so that a changed clock or a suspended machine is noticed', async () => {
    const { asked, sleeps } = await scheduled('2026-11-23T10:00:00Z', '2026-11-23T23:00:00Z', {
      jump: (millis) => millis + 9 * HOUR,
    });
    expect(Math.max(...sleeps)).toBe(60_000);
    expect(asked).toEqual([{ cycle: '2026-11-23T00:00:00.000Z', at: '2026-11-23T19:01:00.000Z' }]);
  });

  it('a schedule with once waits for the time and ends after one run', async () => {
    const { asked, outcome } = await scheduled('2026-11-23T12:00:00Z', '2026-11-30T00:00:00Z', {
      once: true,
    });
    expect([asked.length, outcome]).toEqual([1, 'done']);
  });

  it('an abort ends the schedule with its reason, and no request follows', async () => {
    const { asked, outcome } = await scheduled('2026-11-23T12:00:00Z', '2026-11-23T12:00:01Z');
    expect([asked, outcome]).toEqual([[], 'Error: the test is over']);
  });
});
