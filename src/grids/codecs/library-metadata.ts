import { Float16Array } from '@petamoriken/float16';
import type { AsyncReadable } from 'zarrita';
import { z } from 'zod';

const fillValue = z.union([z.number(), z.string(), z.null()]).optional();
const v2Schema = z.looseObject({ dtype: z.string().regex(/^[<>]f2$/), fill_value: fillValue });
const scaledSchema = z.looseObject({
  filters: z.array(z.looseObject({ id: z.string(), offset: z.number().optional() })),
  fill_value: fillValue,
});
const v3Schema = z.looseObject({ data_type: z.literal('float16'), fill_value: fillValue });

/**
 * The same store with metadata that the Zarr library can read.
 *
 * * Arrays of half floats are arrays of their bits (uint16): before Node 24 JavaScript has no array of half floats.
 * * Behind `fixedscaleoffset` a fill value is stored as an integer, which NaN is not; an absent chunk of such an array is an error
 *   (see `isFillStorable`), so that any number will do.
 */
export function withLibraryMetadata(store: AsyncReadable): AsyncReadable {
  return {
    ...(store.getRange && { getRange: store.getRange.bind(store) }),
    async get(key, options) {
      const bytes = await store.get(key, options);
      if (bytes === undefined || !/\/(?:\.zarray|zarr\.json)$/.test(key)) return bytes;
      const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
      return new TextEncoder().encode(JSON.stringify(withStorableFill(asBits(document))));
    },
  };
}

function asBits(document: unknown): unknown {
  const v2 = v2Schema.safeParse(document).data;
  if (v2) return { ...v2, dtype: `${v2.dtype.slice(0, 1)}u2`, fill_value: bitsOf(v2.fill_value) };
  const v3 = v3Schema.safeParse(document).data;
  return v3 ? { ...v3, data_type: 'uint16', fill_value: bitsOf(v3.fill_value) } : document;
}

/** The offset is stored as 0. */
function withStorableFill(document: unknown): unknown {
  const array = scaledSchema.safeParse(document).data;
  const filter = array?.filters.find(({ id }) => id.endsWith('fixedscaleoffset'));
  if (array === undefined || filter === undefined || isFillStorable(array)) return document;
  return { ...array, fill_value: filter.offset ?? 0 };
}

/** Whether the filters of an array of format 2 can store its fill value, and absent chunks be made of it. */
export const isFillStorable = (array: {
  readonly filters?: readonly { readonly id: string }[] | null | undefined;
  readonly fill_value?: unknown;
}): boolean =>
  Number.isFinite(array.fill_value) ||
  array.filters?.some(({ id }) => id.endsWith('fixedscaleoffset')) !== true;

/** Format 3 may give the bits themselves, as `0x7e00`. */
function bitsOf(fill: z.infer<typeof fillValue>): number | null {
  if (fill === null || fill === undefined) return null;
  if (typeof fill === 'string' && /^0x[0-9a-f]{4}$/i.test(fill)) return Number(fill);
  return new Uint16Array(Float16Array.of(Number(fill)).buffer)[0] ?? null;
}
