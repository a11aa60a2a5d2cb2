import type { ObservedSpan } from '#facts/observed-span';
import { ByteWriter } from './byte-writer.ts';
import {
  beginFrame,
  encodeFrame,
  endFrame,
  MAX_PAYLOAD_BYTES,
  type Frame,
  type RecordKind,
} from './frame.ts';
import type { RunIdentity } from '../books/ledger.ts';
import { RunFinder } from '../books/run-finder.ts';
import { SpanDecoder } from './span-decoder.ts';
import { SpanEncoder } from './span-encoder.ts';

/** The run of a span's step; see `RunFinder`. */
export const runOf = (span: ObservedSpan): RunIdentity | null => new RunFinder().runOf(span);

/** Encodes a record as a frame; null when the payload exceeds `MAX_PAYLOAD_BYTES`. */
export function toFrame(kind: RecordKind, sequence: number, payload: Uint8Array): Buffer | null {
  return payload.length > MAX_PAYLOAD_BYTES ? null : encodeFrame({ kind, sequence, payload });
}

/**
 * Encodes spans of other programs as records with consecutive numbers, in one chunk; null when one is too large.
 *
 * @throws TypeError when an attribute cannot be encoded
 */
export function toReceivedFrames(first: number, spans: readonly ObservedSpan[]): Buffer | null {
  const writer = new ByteWriter();
  const encoder = new SpanEncoder(writer);
  for (const [index, span] of spans.entries()) {
    const from = beginFrame(writer);
    encoder.encode(span);
    if (writer.length - from > MAX_PAYLOAD_BYTES) return null;
    endFrame(writer, from, { kind: 'received', sequence: first + index });
  }
  return writer.slice(0, writer.length);
}

/** Encodes a span as a payload. @throws TypeError when an attribute cannot be encoded */
export function toPayload(span: ObservedSpan): Buffer {
  const writer = new ByteWriter();
  new SpanEncoder(writer).encode(span);
  return Buffer.from(writer.slice(0, writer.length));
}

/**
 * Decodes the span of a record; null when this version cannot read it: a valid checksum does not rule out another format
 * version.
 *
 * @param decoder pass one for many records, so that names and resource are decoded once
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
