import { Adjustments, cleanText } from '../../src/facts/clean-value.ts';
import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeFrame, MAX_PAYLOAD_BYTES, type Frame, type RecordKind } from './frame.ts';
import type { RunKey } from './ledger.ts';
import { SpanDecoder } from './span-decoder.ts';
import { SpanEncoder } from './span-encoder.ts';

/** Longest name of a validator that is counted for, bytes: no key of a table holds one much longer. */
const MAX_HOTKEY_BYTES = 2000;

/** What a span is told apart by. */
export const spanKeyOf = ({ traceId, spanId }: ObservedSpan): string => `${traceId}${spanId}`;

/**
 * The run that the step of a span belongs to, as the rows will name it; null when it names none. What the database
 * cannot hold must not get into an account, which is told with the spans of others.
 */
export function runOf({ attributes, resource }: ObservedSpan): RunKey | null {
  const validatorHotkey = attributes['weather.validator.hotkey'] ?? resource['weather.validator.hotkey'];
  const runId = attributes['weather.run.id'];
  if (typeof validatorHotkey !== 'string' || validatorHotkey === '') return null;
  if (Buffer.byteLength(validatorHotkey) > MAX_HOTKEY_BYTES || !Number.isSafeInteger(runId)) return null;
  return { validatorHotkey: cleanText(validatorHotkey, new Adjustments()), runId: Number(runId) };
}

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
