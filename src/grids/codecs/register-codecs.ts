import { registry } from 'zarrita';
import { type ArrayDataType, bytesOf } from '../array-description.ts';
import { decodeBzip2 } from './bzip2.ts';

/** What the Zarr library tells a codec of the chunks that it decodes. */
interface ChunkMetadata {
  readonly dataType: string;
  readonly shape: readonly number[];
}

/** A chunk inside another codec may be a little longer than its values. */
const MOST_OVERHEAD_BYTES = 65_536;

/** Adds to the codecs of the Zarr library what it lacks. Idempotent; the library has one registry for a process. */
export function registerCodecs(): void {
  const codecs = registry as unknown as Map<string, () => object>;
  const bz2 = {
    fromConfig: (_: unknown, { dataType, shape }: ChunkMetadata) => ({
      kind: 'bytes_to_bytes',
      decode: (bytes: Uint8Array): Uint8Array => {
        const values = shape.reduce(
          (product, length) => product * length,
          bytesOf(dataType as ArrayDataType),
        );
        return decodeBzip2(bytes, values + MOST_OVERHEAD_BYTES);
      },
    }),
  };
  codecs.set('bz2', () => bz2);
  codecs.set('numcodecs.bz2', () => bz2);
}
