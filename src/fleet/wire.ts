import type { IncomingHttpHeaders } from 'node:http';
import type { Fault, Route } from './fault-schedule.ts';

/** A request to one miner, with the prefix of the miner removed from its path. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Bearer token, from the header or from `?token=`. */
  readonly token: string | null;
  readonly body: string;
}

/** Response of a miner, or the fault in its place. */
export type WireResponse =
  | { readonly kind: 'json'; readonly statusCode: number; readonly body: unknown }
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | { readonly kind: Exclude<Fault, 'http_503'> };

/** A JSON response. */
export const jsonResponse = (statusCode: number, body: unknown): WireResponse => ({
  kind: 'json',
  statusCode,
  body,
});

const ROUTE_OF_PATH: ReadonlyMap<string, Exclude<Route, 'forecast_file'>> = new Map([
  ['/weather-initiate-fetch', 'initiate_fetch'],
  ['/weather-poll-job-status', 'poll_job_status'],
  ['/weather-kerchunk-request', 'kerchunk_request'],
]);

/** The route of a path, or null when there is none. */
export function routeOf(path: string): Route | null {
  return path.startsWith('/forecasts/') ? 'forecast_file' : (ROUTE_OF_PATH.get(path) ?? null);
}
