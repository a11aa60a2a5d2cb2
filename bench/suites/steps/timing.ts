import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { quantile } from '#bench/harness/statistics';
import type { Call, Work } from './work.ts';

/** What is measured of a call. */
export interface CallPlan {
  readonly calls: number;
  /** Calls that are under way at once: they begin in one turn of the event loop and end in the next. */
  readonly inFlight: number;
}

const LEADS = 40;

/** Time of one call, ns: that of all of them, divided. */
export async function nanosPerCall(call: Call, { calls, inFlight }: CallPlan): Promise<number> {
  const begun = process.hrtime.bigint();
  for (let done = 0; done < calls; done += inFlight) await oneWave(call, inFlight, done);
  return Number(process.hrtime.bigint() - begun) / calls;
}

async function oneWave(call: Call, inFlight: number, from: number): Promise<void> {
  const turn = turnOfLoop();
  const running: Promise<number>[] = [];
  for (let index = 0; index < inFlight; index += 1) running.push(call(workOf(from + index, turn)));
  await Promise.all(running);
}

const workOf = (index: number, turn: Promise<void>): Work => ({ lead: 6 * (1 + (index % LEADS)), turn });

/** The time below which 99 of 100 calls stay, one call at a time, the turn of the event loop included, ns. */
export async function slowCallNanos(call: Call, calls: number): Promise<number> {
  const nanos: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const begun = performance.now();
    await call(workOf(index, turnOfLoop()));
    nanos.push((performance.now() - begun) * 1e6);
  }
  return quantile(nanos, 0.99);
}
