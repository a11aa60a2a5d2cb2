import Blosc from 'numcodecs/blosc';
import Zstd from 'numcodecs/zstd';

/** How chunks are compressed when a store is written. */
export type ChunkCodecName = 'blosc' | 'zstd';

export interface ChunkCodec {
  encode(bytes: Uint8Array): Promise<Uint8Array>;
  /** The `compressor` of a `.zarray`. */
  readonly v2Compressor: Readonly<Record<string, unknown>>;
  /** The entry of `codecs` in a `zarr.json`, for the given value size. */
  v3Codec(bytesPerValue: number): Readonly<Record<string, unknown>>;
}

/** The used part of the codec library, whose own types do not resolve under this module system. */
interface EncoderFactory {
  fromConfig(configuration: object): { encode(bytes: Uint8Array): Promise<Uint8Array> };
}

const BLOSC_SETTINGS = { cname: 'zstd', clevel: 5, blocksize: 0 } as const;
const ZSTD_LEVEL = 3;

export function createChunkCodec(name: ChunkCodecName): ChunkCodec {
  return name === 'blosc' ? createBloscCodec() : createZstdCodec();
}

function createBloscCodec(): ChunkCodec {
  const v2Compressor = { id: 'blosc', ...BLOSC_SETTINGS, shuffle: 1 };
  const codec = (Blosc as unknown as EncoderFactory).fromConfig(v2Compressor);
  return {
    encode: (bytes) => codec.encode(bytes),
    v2Compressor,
    v3Codec: (bytesPerValue) => ({
      name: 'blosc',
      configuration: { ...BLOSC_SETTINGS, shuffle: 'shuffle', typesize: bytesPerValue },
    }),
  };
}

function createZstdCodec(): ChunkCodec {
  const codec = (Zstd as unknown as EncoderFactory).fromConfig({ id: 'zstd', level: ZSTD_LEVEL });
  return {
    encode: (bytes) => codec.encode(bytes),
    v2Compressor: { id: 'zstd', level: ZSTD_LEVEL },
    v3Codec: () => ({ name: 'zstd', configuration: { level: ZSTD_LEVEL, checksum: false } }),
  };
}
