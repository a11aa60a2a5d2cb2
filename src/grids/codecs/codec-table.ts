import { CategorizedError } from '#semconv';
import { invalidStore } from '../grid-errors.ts';

/**
 * The codecs and filters that are read: an allow-list, as the output of each is bounded by what a chunk declares. The names are
 * those of both formats (`numcodecs.` may stand before).
 */
export const CODECS = {
  blosc: 'compression (blosclz, lz4, lz4hc, zlib, zstd inside)',
  zstd: 'compression',
  lz4: 'compression',
  gzip: 'compression',
  zlib: 'compression',
  bz2: 'compression',
  shuffle: 'order of bytes',
  delta: 'differences',
  bitround: 'nothing to undo',
  quantize: 'nothing to undo but a narrower type',
  fixedscaleoffset: 'scale and offset, as integers',
  astype: 'a narrower type',
  scale_offset: 'scale and offset (format 3)',
  cast_value: 'a narrower type (format 3)',
  bytes: 'byte order (format 3)',
  transpose: 'order of axes (format 3)',
  crc32c: 'sum (format 3)',
  sharding_indexed: 'many chunks in a file (format 3)',
} as const;

/** Codecs that the field writes and that are not read: nobody made a mistake but Barograph. */
const UNREAD_CODECS = [
  'lzma',
  'pcodec',
  'zfpy',
  'packbits',
  'base64',
  'crc32',
  'adler32',
  'fletcher32',
  'jenkins_lookup3',
];

/** The codecs of an array, and of the chunks of its shards. */
interface ArrayCodecs {
  readonly name: string;
  readonly codecs: readonly string[];
  readonly shard: { readonly codecs: readonly string[] } | null;
}

const plainName = (codec: string): string => codec.replace(/^numcodecs\./, '');

/**
 * Requires that every codec of an array is read.
 *
 * @throws CategorizedError `validator_internal` for a codec of the field that is not read, as its writer is not to blame;
 * `invalid_response` for one that nobody knows
 */
export function requireKnownCodecs({ name, codecs, shard }: ArrayCodecs): void {
  const unknown = [...codecs, ...(shard?.codecs ?? [])].find(
    (codec) => !Object.hasOwn(CODECS, plainName(codec)),
  );
  if (unknown === undefined) return;
  const message =
    `Array ${name} is stored with codec or filter "${unknown}", which is not read; allowed: ${Object.keys(CODECS).join(', ')}. ` +
    'Write the store again with one of them, as by the "encoding" of xarray.';
  throw UNREAD_CODECS.includes(plainName(unknown))
    ? new CategorizedError('validator_internal', message)
    : invalidStore(message);
}
