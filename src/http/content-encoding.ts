import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';

const gzip = promisify(gzipWithCallback);

/** A scrape is compressed once and read once: the fastest level, which has most of the gain. */
const LEVEL = 1;
const GZIP_NAMES = ['gzip', 'x-gzip'];

/**
 * Whether an Accept-Encoding header (RFC 9110, 12.5.3) has the answer compressed: gzip has to be named, or `*`, and to
 * be wanted at least as much as the text as it is. A weight that is no weight refuses.
 */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const weights = new Map((acceptEncoding ?? '').split(',').map(parseCoding));
  const others = weights.get('*');
  const gzipWeight = GZIP_NAMES.map((name) => weights.get(name)).find((weight) => weight !== undefined);
  const weight = gzipWeight ?? others ?? 0;
  return weight > 0 && weight >= (weights.get('identity') ?? 0);
}

function parseCoding(entry: string): readonly [string, number] {
  const [coding = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
  return [coding, WEIGHT.test(weight) ? Number(weight) : 0];
}

const WEIGHT = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/;

/** The text compressed, by a thread of its own while the event loop goes on. */
export const compress = (text: string): Promise<Buffer> => gzip(text, { level: LEVEL });
