import type { z } from 'zod';
import { initiateFetchDataSchema, jobDataSchema, requestSchema } from '#pipeline/miners/protocol';
import { faultOf, ROUTES, type Route } from './fault-schedule.ts';
import type { ForecastDesk } from './forecast-desk.ts';
import type { SimulatedMiner } from './simulated-miner.ts';
import { jsonAnswer, routeOf, type WireAnswer, type WireRequest } from './wire.ts';

/** One simulated miner on the wire. */
export interface MinerEndpoint {
  readonly respond: (request: WireRequest) => Promise<WireAnswer>;
  /** Requests that came, by route, faults included. */
  readonly requestCounts: () => Readonly<Record<Route, number>>;
}

/** Data of a request, or null when it is not as agreed. */
function parseData<Data extends z.ZodType>(body: string, schema: Data): z.output<Data> | null {
  try {
    const parsed = schema.safeParse(requestSchema.parse(JSON.parse(body)).data);
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

async function answerJson<Data extends z.ZodType>(
  request: WireRequest,
  schema: Data,
  respond: (data: z.output<Data>) => Promise<unknown>,
): Promise<WireAnswer> {
  if (request.method !== 'POST') return jsonAnswer(405, { detail: 'Method Not Allowed' });
  const data = parseData(request.body, schema);
  if (data === null) return jsonAnswer(422, { detail: 'the request does not have the agreed shape' });
  return jsonAnswer(200, await respond(data));
}

async function dispatch(desk: ForecastDesk, route: Route, request: WireRequest): Promise<WireAnswer> {
  switch (route) {
    case 'initiate_fetch':
      return answerJson(request, initiateFetchDataSchema, desk.initiateFetch);
    case 'poll_job_status':
      return answerJson(request, jobDataSchema, (data) => desk.poll(data.job_id));
    case 'kerchunk_request':
      return answerJson(request, jobDataSchema, (data) => desk.requestToken(data.job_id));
    case 'forecast_file':
      return desk.serveFile(request);
  }
}

/** Puts the desk of a miner on the wire, with the faults that the miner has. */
export function createMinerEndpoint(miner: SimulatedMiner, desk: ForecastDesk): MinerEndpoint {
  const counts = new Map<Route, number>(ROUTES.map((route) => [route, 0]));
  const countOf = (route: Route): number => counts.get(route) ?? 0;
  return {
    async respond(request) {
      const route = routeOf(request.path);
      if (route === null) return jsonAnswer(404, { detail: 'Not Found' });
      counts.set(route, countOf(route) + 1);
      const fault = faultOf(miner, route, countOf(route));
      if (fault === 'http_503') return jsonAnswer(503, { detail: 'overloaded, try again' });
      return fault === null ? dispatch(desk, route, request) : { kind: fault };
    },
    requestCounts: () => ({
      initiate_fetch: countOf('initiate_fetch'),
      poll_job_status: countOf('poll_job_status'),
      kerchunk_request: countOf('kerchunk_request'),
      forecast_file: countOf('forecast_file'),
    }),
  };
}
