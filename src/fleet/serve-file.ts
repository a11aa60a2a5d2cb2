import { readToken } from './access-token.ts';
import type { HostedStore } from './hosted-store.ts';
import { jsonResponse, type WireResponse, type WireRequest } from './wire.ts';

/** A forecast that a miner hosts, and the secret that guards it. */
export interface HostedForecast {
  /** Name of the store's directory below `/forecasts/`. */
  readonly directory: string;
  /** Null until the forecast is complete. */
  readonly store: HostedStore | null;
  readonly tokenSecret: Uint8Array;
  readonly now: Date;
}

/** Directory and path below it, or null for a path that escapes its directory (`..`) or cannot be decoded. */
function splitPath(path: string): { readonly directory: string; readonly rest: string } | null {
  try {
    const segments = decodeURIComponent(path.slice('/forecasts/'.length)).split('/');
    if (segments.some((segment) => segment === '..' || segment === '.' || segment.includes('\\')))
      return null;
    const [directory = '', ...rest] = segments;
    return { directory, rest: rest.join('/') };
  } catch {
    return null;
  }
}

/** Answers GET and HEAD below `/forecasts/`: 401 without a valid token, 403 outside of its directory, 404 otherwise. */
export function serveFile(request: WireRequest, forecast: HostedForecast): WireResponse {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return jsonResponse(405, { detail: 'Method Not Allowed' });
  const claims = request.token === null ? null : readToken(request.token, forecast.tokenSecret, forecast.now);
  if (claims === null) return jsonResponse(401, { detail: 'invalid or expired token' });
  const place = splitPath(request.path);
  if (place?.directory !== claims.file_path) return jsonResponse(403, { detail: 'outside of the token' });
  if (forecast.store === null || place.directory !== forecast.directory)
    return jsonResponse(404, { detail: 'Not Found' });
  if (place.rest === '') return jsonResponse(200, { files: forecast.store.paths });
  const bytes = forecast.store.read(place.rest);
  return bytes === null ? jsonResponse(404, { detail: 'Not Found' }) : { kind: 'file', bytes };
}
