import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { quantile } from '#bench/harness/statistics';
import type { Call, Work } from './work.ts';

/** Sizes of one timing. */
export interface CallPlan {
  readonly calls: number;
  /** Concurrent calls: they begin in one turn of the event loop and end in the next. */
  readonly inFlight: number;
}

const LEADS = 40;

/** Mean time of a call, ns: the total divided by the number of calls. */
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

/** The 99th percentile of sequential calls, the turn of the event loop included, ns. */
export async function slowCallNanos(call: Call, calls: number): Promise<number> {
  const nanos: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const begun = performance.now();
    await call(workOf(index, turnOfLoop()));
    nanos.push((performance.now() - begun) * 1e6);
  }
  return quantile(nanos, 0.99);
}
