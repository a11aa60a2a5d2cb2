import type { z } from 'zod';
import { initiateFetchDataSchema, jobDataSchema, requestSchema } from '#pipeline/miners/protocol';
import type { FiberGate } from './fiber-gate.ts';
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

/**
 * Routes requests to the forecast service of a miner, with fault injection by its profile.
 *
 * @param gate what a request passes first where the miner takes signed requests
 */
export function createMinerEndpoint(
  miner: SimulatedMiner,
  service: ForecastService,
  gate: FiberGate = (request) => request,
): MinerEndpoint {
  const counts = new Map<Route, number>(ROUTES.map((route) => [route, 0]));
  const countOf = (route: Route): number => counts.get(route) ?? 0;
  const countFault = (route: Route): ReturnType<typeof faultOf> => {
    counts.set(route, countOf(route) + 1);
    return faultOf(miner, route, countOf(route));
  };
  return {
    async handle(request) {
      const route = routeOf(request.path);
      const fault = route === null ? null : countFault(route);
      if (fault === 'http_503') return jsonResponse(503, { detail: 'overloaded, try again' });
      if (fault !== null) return { kind: fault };
      const admitted = gate(request);
      if ('kind' in admitted) return admitted;
      return route === null ? jsonResponse(404, { detail: 'Not Found' }) : dispatch(service, route, admitted);
    },
    requestCounts: () => ({
      initiate_fetch: countOf('initiate_fetch'),
      poll_job_status: countOf('poll_job_status'),
      kerchunk_request: countOf('kerchunk_request'),
      forecast_file: countOf('forecast_file'),
    }),
  };
}
