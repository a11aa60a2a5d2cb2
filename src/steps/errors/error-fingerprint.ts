import { createHash } from 'node:crypto';
import type { StackFrame } from './stack-trace.ts';

/** What makes two failures the same. */
export interface FingerprintParts {
  readonly category: string;
  readonly class: string;
  readonly code: string | null;
  readonly message: string;
  readonly frames: readonly StackFrame[];
}

/** Inner frames that count; further out, the same failure is reached on different ways. */
const FRAMES = 3;

/** The message without what differs from case to case: numbers, ids, hashes, hotkeys, quoted texts keep their form. */
export function normalizeMessage(message: string): string {
  return message
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\b[1-9A-HJ-NP-Za-km-z]{46,49}\b/g, '#')
    .replace(/\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{6,}\b/gi, '#')
    .replace(/\d+(?:\.\d+)?/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Twelve hexadecimal digits, the same for the same failure whatever its numbers, lines and addresses. */
export function fingerprintOf(parts: FingerprintParts): string {
  const functions = parts.frames.slice(0, FRAMES).map(({ functionName }) => functionName);
  const text = [parts.category, parts.class, parts.code ?? '', normalizeMessage(parts.message), ...functions];
  return createHash('sha256').update(text.join('\n')).digest('hex').slice(0, 12);
}
