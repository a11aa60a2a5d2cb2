import type { SimulatedMiner } from './simulated-miner.ts';
import { seededFraction } from './seeded-fraction.ts';

/** Faults that a flaky miner injects in place of a response. */
export const FAULTS = ['http_503', 'reset', 'hang'] as const;
export type Fault = (typeof FAULTS)[number];

/** The routes of a miner, by which requests are counted. */
export const ROUTES = ['initiate_fetch', 'poll_job_status', 'kerchunk_request', 'forecast_file'] as const;
export type Route = (typeof ROUTES)[number];

/**
 * Requests to a route that fail before the miner recovers. Below the validator's attempt limits: 4 attempts
 * for a query, 20 for polls, 4 for a verification (which takes a token and then files).
 */
const FAULTY_REQUESTS: Record<Route, number> = {
  initiate_fetch: 2,
  poll_job_status: 3,
  kerchunk_request: 1,
  forecast_file: 1,
};

/** The fault of the n-th request (from 1) to a route, or null. Every fault occurs among the first polls. */
export function faultOf(miner: SimulatedMiner, route: Route, requestNumber: number): Fault | null {
  if (miner.profile !== 'flaky' || requestNumber > FAULTY_REQUESTS[route]) return null;
  const inSeededOrder = FAULTS.toSorted(
    (one, other) =>
      seededFraction(miner.seed, 'fault', route, one) - seededFraction(miner.seed, 'fault', route, other),
  );
  return inSeededOrder[(requestNumber - 1) % FAULTS.length] ?? null;
}
