import type { ObservedSpan } from '#facts/observed-span';
import { ByteWriter } from './byte-writer.ts';
import { encodeFrame, MAX_PAYLOAD_BYTES, type Frame, type RecordKind } from './frame.ts';
import type { RunIdentity } from '../books/ledger.ts';
import { RunFinder } from '../books/run-finder.ts';
import { SpanDecoder } from './span-decoder.ts';
import { SpanEncoder } from './span-encoder.ts';

/** The run that the step of a span belongs to; see `RunFinder`. */
export const runOf = (span: ObservedSpan): RunIdentity | null => new RunFinder().runOf(span);

/** The frame of a record; null when its span is larger than any that is believed. */
export function toFrame(kind: RecordKind, sequence: number, payload: Uint8Array): Buffer | null {
  return payload.length > MAX_PAYLOAD_BYTES ? null : encodeFrame({ kind, sequence, payload });
}

/** A span as the payload of a record. @throws Error when it has what cannot be written */
export function toPayload(span: ObservedSpan): Buffer {
  const writer = new ByteWriter();
  new SpanEncoder(writer).encode(span);
  return Buffer.from(writer.slice(0, writer.length));
}

/**
 * The span of a record; null when it is none that this version can read: what a checksum covers is whole, but another
 * version may have meant something else by it. Many records are read faster with one decoder.
 */
export function toSpan(
  { payload }: Pick<Frame, 'payload'>,
  decoder = new SpanDecoder(),
): ObservedSpan | null {
  try {
    return decoder.decode(payload);
  } catch {
    return null;
  }
}
