import { onOneLine } from '#semconv/printable-text';
import { scrubText } from '#semconv/scrub';
import type { Miner } from './miner.ts';

/** Longest quotation of a miner's text in an error message, characters. */
const QUOTE_LENGTH = 80;
/** Longest message of a miner that is stored, characters. */
const MESSAGE_LENGTH = 500;

/** Cuts to whole characters, so that no half of a surrogate pair is left. */
function cut(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

function clean(text: string, length: number, secrets: readonly string[]): string {
  // A generous cut first bounds the cost of scrubbing; the exact one comes after it.
  const head = onOneLine(text.slice(0, length * 8));
  const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, '[REDACTED]'), head);
  return cut(scrubText(hidden).trim(), length);
}

const longestFirst = (one: string, other: string): number => other.length - one.length;

/** The secrets to redact from a miner's text: its address and its token; longest first, so that no part remains. */
export function secretsOf(miner: Miner, token?: string): string[] {
  const url = URL.canParse(miner.baseUrl) ? new URL(miner.baseUrl) : null;
  const secrets = [token, miner.baseUrl, url?.origin, url?.host, url?.hostname];
  return secrets
    .filter((secret) => typeof secret === 'string')
    .filter(Boolean)
    .toSorted(longestFirst);
}

/** Quotes a miner's text for an error message: at most 80 characters on one line, without secrets, in quotation marks. */
export function quoteUntrusted(text: string, secrets: readonly string[] = []): string {
  return JSON.stringify(clean(text, QUOTE_LENGTH, secrets));
}

/** Sanitizes a miner's message for storage: at most 500 characters on one line, without secrets. */
export function sanitizeUntrusted(text: string, secrets: readonly string[] = []): string {
  return clean(text, MESSAGE_LENGTH, secrets);
}
