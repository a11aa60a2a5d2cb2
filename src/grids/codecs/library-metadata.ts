import { Float16Array } from '@petamoriken/float16';
import type { AsyncReadable } from 'zarrita';
import { z } from 'zod';
import { timeTypeOf, V2_TIME_TYPE } from '../time-type.ts';

const fillValue = z.union([z.number(), z.string(), z.null()]).optional();
const filterSchema = z.looseObject({ id: z.string() });
const v2Schema = z.looseObject({
  dtype: z.string(),
  filters: z.array(filterSchema).nullish(),
  fill_value: fillValue,
});
const codecSchema = z.looseObject({
  name: z.string(),
  configuration: z.record(z.string(), z.unknown()).optional(),
});
const v3Schema = z.looseObject({
  data_type: z.union([z.string(), z.looseObject({ name: z.string() })]),
  codecs: z.array(codecSchema),
  fill_value: fillValue,
});

type V2Metadata = z.infer<typeof v2Schema>;
type V3Metadata = z.infer<typeof v3Schema>;
type Codec = z.infer<typeof codecSchema>;

/**
 * The same store with metadata that the Zarr library can read.
 *
 * * Arrays of half floats are arrays of their bits (uint16): before Node 24 JavaScript has no array of half floats.
 * * Times of numpy are the integers that they are stored as.
 * * `quantize` and `astype`, and `fixedscaleoffset` in format 3, are conversions that the library knows by other names.
 * * Behind a conversion to integers a fill value is stored as an integer, which NaN is not; an absent chunk of such an array is an
 *   error (see `isFillStorable`), so that any number will do.
 */
export function withLibraryMetadata(store: AsyncReadable): AsyncReadable {
  return {
    ...(store.getRange && { getRange: store.getRange.bind(store) }),
    async get(key, options) {
      const bytes = await store.get(key, options);
      if (bytes === undefined || !/\/(?:\.zarray|zarr\.json)$/.test(key)) return bytes;
      const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
      return new TextEncoder().encode(JSON.stringify(toLibraryForm(document)));
    },
  };
}

function toLibraryForm(document: unknown): unknown {
  const v2 = v2Schema.safeParse(document).data;
  if (v2) return withStorableFill(v2AsIntegers(withKnownFilters(v2)));
  const v3 = v3Schema.safeParse(document).data;
  if (v3 === undefined) return document;
  const isStorable = isFillStorable(v3.fill_value, v3.codecs);
  const codecs = v3.codecs.flatMap(toLibraryCodecs);
  return v3AsIntegers({ ...v3, codecs, ...(isStorable ? {} : { fill_value: 0 }) });
}

function v2AsIntegers(array: V2Metadata): V2Metadata {
  const { dtype, fill_value: fill } = array;
  if (/^[<>]f2$/.test(dtype)) return { ...array, dtype: `${dtype.slice(0, 1)}u2`, fill_value: bitsOf(fill) };
  return V2_TIME_TYPE.test(dtype) ? { ...array, dtype: `${dtype.slice(0, 1)}i8`, fill_value: null } : array;
}

function v3AsIntegers(array: V3Metadata): V3Metadata {
  if (array.data_type === 'float16')
    return { ...array, data_type: 'uint16', fill_value: bitsOf(array.fill_value) };
  return timeTypeOf(array.data_type) === null ? array : { ...array, data_type: 'int64', fill_value: null };
}

/** A conversion of the values to another type, in the terms of format 2. */
interface Conversion {
  readonly dtype?: unknown;
  readonly astype?: unknown;
  readonly scale?: unknown;
  readonly offset?: unknown;
}

/** The conversion that a filter makes; undefined for a filter that is none. */
function conversionOf(name: string, settings: Readonly<Record<string, unknown>>): Conversion | undefined {
  switch (name.replace(/^numcodecs\./, '')) {
    case 'fixedscaleoffset':
      return settings;
    case 'quantize':
      return { dtype: settings['dtype'], astype: settings['astype'], scale: 1, offset: 0 };
    case 'astype':
      return { dtype: settings['decode_dtype'], astype: settings['encode_dtype'], scale: 1, offset: 0 };
    default:
      return undefined;
  }
}

const withKnownFilters = (array: V2Metadata): V2Metadata => ({
  ...array,
  filters: array.filters?.map((filter) => {
    const conversion = conversionOf(filter.id, filter);
    return conversion === undefined ? filter : { ...conversion, id: 'fixedscaleoffset' };
  }),
});

/** Format 3 has scale and type in two codecs. */
function toLibraryCodecs(codec: Codec): Codec[] {
  const { name, configuration = {} } = codec;
  const nested = z.array(codecSchema).safeParse(configuration['codecs']).data;
  if (nested)
    return [{ ...codec, configuration: { ...configuration, codecs: nested.flatMap(toLibraryCodecs) } }];
  const conversion = conversionOf(name, configuration);
  if (conversion === undefined) return [codec];
  const { dtype, astype = dtype, scale = 1, offset = 0 } = conversion;
  const cast = { data_type: plainType(astype), rounding: 'nearest-even', out_of_range: 'wrap' };
  return [
    { name: 'scale_offset', configuration: { scale, offset } },
    ...(plainType(dtype) === plainType(astype) ? [] : [{ name: 'cast_value', configuration: cast }]),
  ];
}

const KINDS: Readonly<Record<string, string>> = { i: 'int', u: 'uint', f: 'float' };

/** `<f4` is float32. */
function plainType(dtype: unknown): string {
  const [, kind = '', bytes = ''] = /^[<>|]?([iuf])([1248])$/.exec(String(dtype)) ?? [];
  return kind === '' ? String(dtype) : `${KINDS[kind] ?? kind}${String(Number(bytes) * 8)}`;
}

/** The offset is stored as 0. */
function withStorableFill(array: V2Metadata): V2Metadata {
  const filters = (array.filters ?? []).map(({ id, ...configuration }) => ({ name: id, configuration }));
  if (isFillStorable(array.fill_value, filters)) return array;
  const offset = filters.find(isToIntegers)?.configuration['offset'];
  return { ...array, fill_value: typeof offset === 'number' ? offset : 0 };
}

const isToIntegers = ({ name, configuration = {} }: CodecSettings): boolean =>
  plainType(conversionOf(name, configuration)?.astype).includes('int');

/** A codec or filter with its settings. */
interface CodecSettings {
  readonly name: string;
  readonly configuration?: Readonly<Record<string, unknown>> | undefined;
}

/** Whether the codecs of an array can store its fill value, and absent chunks be made of it. */
export const isFillStorable = (fill: unknown, codecs: readonly CodecSettings[]): boolean =>
  Number.isFinite(fill) || !codecs.some(isToIntegers);

/** Format 3 may give the bits themselves, as `0x7e00`. */
function bitsOf(fill: z.infer<typeof fillValue>): number | null {
  if (fill === null || fill === undefined) return null;
  if (typeof fill === 'string' && /^0x[0-9a-f]{4}$/i.test(fill)) return Number(fill);
  return new Uint16Array(Float16Array.of(Number(fill)).buffer)[0] ?? null;
}
