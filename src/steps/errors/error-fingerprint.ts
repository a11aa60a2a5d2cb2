import { createHash } from 'node:crypto';
import type { StackFrame } from './stack-trace.ts';

/** The parts that two equal failures share. */
export interface FingerprintParts {
  readonly category: string;
  readonly class: string;
  readonly code: string | null;
  readonly message: string;
  readonly frames: readonly StackFrame[];
}

/** Innermost frames that count; the outer ones differ by caller. */
const FRAMES = 3;

/** Replaces what differs from case to case (UUIDs, hotkeys, hashes, numbers) by `#`. */
export function normalizeMessage(message: string): string {
  return message
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\b[1-9A-HJ-NP-Za-km-z]{46,49}\b/g, '#')
    .replace(/\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{6,}\b/gi, '#')
    .replace(/\d+(?:\.\d+)?/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Fingerprint of a failure: twelve hexadecimal digits of SHA-256, independent of its numbers, line numbers and ids. */
export function fingerprintOf(parts: FingerprintParts): string {
  const functions = parts.frames.slice(0, FRAMES).map(({ functionName }) => functionName);
  const text = [parts.category, parts.class, parts.code ?? '', normalizeMessage(parts.message), ...functions];
  return createHash('sha256').update(text.join('\n')).digest('hex').slice(0, 12);
}
