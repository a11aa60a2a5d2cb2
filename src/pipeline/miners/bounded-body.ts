/** What was read of a body. */
export interface BoundedBody {
  readonly bytes: Uint8Array;
  /** False when there was more than allowed; the rest was not read. */
  readonly complete: boolean;
}

/** Reads a body up to a number of bytes, so that no reply can fill the memory. Leaving early ends its connection. */
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
