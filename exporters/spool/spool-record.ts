import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import { decodeSpan, encodeSpan } from '../../src/facts/observed-span-json.ts';
import { encodeFrame, MAX_PAYLOAD_BYTES, type Frame, type RecordKind } from './frame.ts';
import type { RunKey } from './ledger.ts';

/** What a span is told apart by. */
export const spanKeyOf = ({ traceId, spanId }: ObservedSpan): string => `${traceId}${spanId}`;

/** The run that the step of a span belongs to, as the rows will name it; null when it names none. */
export function runOf({ attributes, resource }: ObservedSpan): RunKey | null {
  const validatorHotkey = attributes['weather.validator.hotkey'] ?? resource['weather.validator.hotkey'];
  const runId = attributes['weather.run.id'];
  if (typeof validatorHotkey !== 'string' || validatorHotkey === '') return null;
  return Number.isSafeInteger(runId) ? { validatorHotkey, runId: Number(runId) } : null;
}

/** The frame of a record; null when its span is larger than any that is believed. */
export function toFrame(kind: RecordKind, sequence: number, payload: Uint8Array): Buffer | null {
  return payload.length > MAX_PAYLOAD_BYTES ? null : encodeFrame({ kind, sequence, payload });
}

export const toPayload = (span: ObservedSpan): Buffer => Buffer.from(encodeSpan(span));

/** The span of a record; null when it is none that this version can read. */
export function toSpan({ payload }: Pick<Frame, 'payload'>): ObservedSpan | null {
  try {
    return decodeSpan(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
  } catch {
    return null;
  }
}
