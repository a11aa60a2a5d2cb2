/** The bytes that were read of a body. */
export interface BoundedBody {
  readonly bytes: Uint8Array;
  /** False when the body was longer than the limit; the rest was not read. */
  readonly complete: boolean;
}

/** Reads a body up to `maxBytes`, so that no reply can exhaust memory. A longer one is cut and its connection closed. */
export async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<BoundedBody> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxBytes)
      return { bytes: Buffer.concat([...parts, part], size).subarray(0, maxBytes), complete: false };
    parts.push(part);
  }
  return { bytes: Buffer.concat(parts, size), complete: true };
}
