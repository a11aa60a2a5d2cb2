import type { TextFormat } from './registry.ts';

/** Supported OpenMetrics versions; undefined is a scraper that names none and accepts any. */
const OPENMETRICS_VERSIONS: readonly (string | undefined)[] = ['1.0.0', '0.0.1', undefined];

interface AcceptedType {
  readonly type: string;
  readonly version: string | undefined;
  readonly quality: number;
}

/**
 * Content negotiation by the Accept header of a scrape (RFC 9110, 12.5.1). OpenMetrics must be named with at least the
 * quality of plain text; everything else gets the classic format.
 */
export function negotiateFormat(accept: string | undefined): TextFormat {
  const accepted = (accept ?? '').split(',').map(parseAccepted);
  const openmetrics = best(
    accepted.filter(
      ({ type, version }) =>
        type === 'application/openmetrics-text' && OPENMETRICS_VERSIONS.includes(version),
    ),
  );
  const plain = best(accepted.filter(({ type }) => type === 'text/plain' || type === 'text/*'));
  return openmetrics > 0 && openmetrics >= plain ? 'openmetrics' : 'classic';
}

const best = (accepted: readonly AcceptedType[]): number =>
  Math.max(0, ...accepted.map(({ quality }) => quality));

function parseAccepted(entry: string): AcceptedType {
  const [type = '', ...pairs] = entry.split(';').map((part) => part.trim().toLowerCase());
  const parameters = new Map(pairs.map(toParameter));
  const quality = Number(parameters.get('q') ?? '1');
  return { type, version: parameters.get('version'), quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

function toParameter(pair: string): readonly [string, string] {
  const [name = '', value = ''] = pair.split('=', 2);
  return [name.trim(), value.trim().replace(/^"(.*)"$/, '$1')];
}
