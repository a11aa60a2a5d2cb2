import type { z } from 'zod';
import { initiateFetchDataSchema, jobDataSchema, requestSchema } from '#pipeline/miners/protocol';
import { faultOf, ROUTES, type Route } from './fault-schedule.ts';
import type { ForecastService } from './forecast-service.ts';
import type { SimulatedMiner } from './simulated-miner.ts';
import { jsonResponse, routeOf, type WireResponse, type WireRequest } from './wire.ts';

/** HTTP interface of one simulated miner, without the server. */
export interface MinerEndpoint {
  readonly handle: (request: WireRequest) => Promise<WireResponse>;
  /** Requests received, by route, including those that met a fault. */
  readonly requestCounts: () => Readonly<Record<Route, number>>;
}

/** Data of a request, or null when it does not match the protocol. */
function parseData<Data extends z.ZodType>(body: string, schema: Data): z.output<Data> | null {
  try {
    const parsed = schema.safeParse(requestSchema.parse(JSON.parse(body)).data);
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

async function handleJson<Data extends z.ZodType>(
  request: WireRequest,
  schema: Data,
  respond: (data: z.output<Data>) => Promise<unknown>,
): Promise<WireResponse> {
  if (request.method !== 'POST') return jsonResponse(405, { detail: 'Method Not Allowed' });
  const data = parseData(request.body, schema);
  if (data === null) return jsonResponse(422, { detail: 'the request does not have the agreed shape' });
  return jsonResponse(200, await respond(data));
}

async function dispatch(service: ForecastService, route: Route, request: WireRequest): Promise<WireResponse> {
  switch (route) {
    case 'initiate_fetch':
      return handleJson(request, initiateFetchDataSchema, service.initiateFetch);
    case 'poll_job_status':
      return handleJson(request, jobDataSchema, (data) => service.poll(data.job_id));
    case 'kerchunk_request':
      return handleJson(request, jobDataSchema, (data) => service.requestToken(data.job_id));
    case 'forecast_file':
      return service.serveFile(request);
  }
}

/** Routes requests to the forecast service of a miner, with fault injection by its profile. */
export function createMinerEndpoint(miner: SimulatedMiner, service: ForecastService): MinerEndpoint {
  const counts = new Map<Route, number>(ROUTES.map((route) => [route, 0]));
  const countOf = (route: Route): number => counts.get(route) ?? 0;
  return {
    async handle(request) {
      const route = routeOf(request.path);
      if (route === null) return jsonResponse(404, { detail: 'Not Found' });
      counts.set(route, countOf(route) + 1);
      const fault = faultOf(miner, route, countOf(route));
      if (fault === 'http_503') return jsonResponse(503, { detail: 'overloaded, try again' });
      return fault === null ? dispatch(service, route, request) : { kind: fault };
    },
    requestCounts: () => ({
      initiate_fetch: countOf('initiate_fetch'),
      poll_job_status: countOf('poll_job_status'),
      kerchunk_request: countOf('kerchunk_request'),
      forecast_file: countOf('forecast_file'),
    }),
  };
}
