import type { SimulatedMiner } from './simulated-miner.ts';
import { seededFraction } from './seeded-fraction.ts';

/** What a flaky miner does instead of answering. */
export const FAULTS = ['http_503', 'reset', 'hang'] as const;
export type Fault = (typeof FAULTS)[number];

/** The routes of a miner, as requests are counted. */
export const ROUTES = ['initiate_fetch', 'poll_job_status', 'kerchunk_request', 'forecast_file'] as const;
export type Route = (typeof ROUTES)[number];

/**
 * How many requests to a route fail before the miner has recovered. It stays below what a validator grants: 4 attempts
 * for a query, 20 for polls, 4 for a verification (which takes a token and then files).
 */
const FAULTY_REQUESTS: Record<Route, number> = {
  initiate_fetch: 2,
  poll_job_status: 3,
  kerchunk_request: 1,
  forecast_file: 1,
};

/** The fault that the n-th request (from 1) to a route meets, or null. Every fault comes up among the first polls. */
export function faultOf(miner: SimulatedMiner, route: Route, requestNumber: number): Fault | null {
  if (miner.profile !== 'flaky' || requestNumber > FAULTY_REQUESTS[route]) return null;
  const inSeededOrder = FAULTS.toSorted(
    (one, other) =>
      seededFraction(miner.seed, 'fault', route, one) - seededFraction(miner.seed, 'fault', route, other),
  );
  return inSeededOrder[(requestNumber - 1) % FAULTS.length] ?? null;
}
