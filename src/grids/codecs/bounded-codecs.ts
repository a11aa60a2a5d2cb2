import { registry } from 'zarrita';
import { messageOf } from '#semconv/message-of';
import { type ArrayDataType, bytesOf } from '../array-description.ts';
import { invalidStore } from '../grid-errors.ts';
import { mostStoredBytes } from '../read-limits.ts';
import { unpackBeside } from './heavy-work.ts';
import { checkedBytes, UNPACK, type UnpackName } from './unpack.ts';

/** What the Zarr library tells a codec of the chunks that it decodes. */
interface ChunkMetadata {
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly codecs: readonly { readonly name: string; readonly configuration?: unknown }[];
}

interface LibraryCodec {
  readonly kind: 'bytes_to_bytes';
  encode(): never;
  decode(bytes: Uint8Array): Promise<Uint8Array>;
}

/** `numcodecs.gzip` and `gzip` are one codec. */
const plainName = (name: string): string => name.replace(/^numcodecs\./, '');
const isUnpackName = (name: string): name is UnpackName => Object.hasOwn(UNPACK, name);

/**
 * Puts codecs in the place of the Zarr library's own ones, which unpack a chunk whatever its size: 6 MB may become 6 GB. These
 * unpack at most what the chunk declares, and compare checksums, which those skip. Idempotent; for all users of the library in the process, since it has one registry.
 */
export function registerBoundedCodecs(): void {
  const codecs = registry as unknown as Map<string, () => object>;
  for (const name of Object.keys(UNPACK).filter(isUnpackName)) {
    const codec = {
      fromConfig: (settings: unknown, chunk: ChunkMetadata) => createCodec(name, settings, chunk),
    };
    codecs.set(name, () => codec);
    codecs.set(`numcodecs.${name}`, () => codec);
  }
  codecs.set('crc32c', () => ({ fromConfig: () => CHECKSUM }));
}

/** The checksum of a chunk, or of the index of a shard. */
const CHECKSUM = {
  kind: 'bytes_to_bytes',
  encode: (): never => {
    throw new Error('Codec crc32c is here to read.');
  },
  computeEncodedSize: (size: number) => size + 4,
  decode: (bytes: Uint8Array): Uint8Array => {
    try {
      return checkedBytes(bytes);
    } catch (error) {
      throw invalidStore(`A chunk, or the index of a shard, is corrupt: ${messageOf(error)}.`, error);
    }
  },
} as const;

function createCodec(name: UnpackName, settings: unknown, chunk: ChunkMetadata): LibraryCodec {
  const most = mostUnpackedBytes(settings, chunk);
  return {
    kind: 'bytes_to_bytes',
    encode: () => {
      throw new Error(`Codec ${name} is here to read.`);
    },
    async decode(bytes) {
      try {
        return await unpackBeside(name, bytes, most);
      } catch (error) {
        throw invalidStore(`A chunk in ${name} cannot be unpacked: ${messageOf(error)}.`, error);
      }
    },
  };
}

/** The innermost codec gives the values themselves; one around others gives what those stored. */
function mostUnpackedBytes(settings: unknown, { dataType, shape, codecs }: ChunkMetadata): number {
  const values = shape.reduce((product, length) => product * length, bytesOf(dataType as ArrayDataType));
  const place = codecs.findIndex(({ configuration }) => configuration === settings);
  const isAround = codecs
    .slice(0, place)
    .some(({ name }) => ['crc32c', ...Object.keys(UNPACK)].includes(plainName(name)));
  return isAround ? mostStoredBytes(values) : values;
}
