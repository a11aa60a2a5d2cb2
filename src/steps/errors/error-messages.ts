import type { ErrorCategory } from '#semconv';
import { categoryOfHttpStatus } from './error-codes.ts';

/** An HTTP status in a text, recognised by what precedes it, so that `took 4042 ms` does not match. */
export const HTTP_STATUS_WORDS = [
  /\bHTTP(?:\/\d(?:\.\d)?)?[ :]{1,3}([45]\d\d)\b/i,
  /\bstatus(?: code)?[ :=]{1,3}([45]\d\d)\b/i,
  /\bhttps?:\/\/\S{1,2000} ([45]\d\d)\b/i,
  /^([45]\d\d)\b(?=[,:]? ?(?:message=|not found|bad|unauthorized|forbidden|internal|service|gateway|too many))/i,
];

/**
 * Phrases that indicate a category, the most specific first: `Connection timeout` is a time-out, `lock timeout` is a
 * lock. Each has word boundaries, so that a part of another word or number never counts.
 */
export const MESSAGE_RULES: readonly (readonly [RegExp, ErrorCategory])[] = [
  [
    /\bfreeze\b.{0,40}\boutside\b.{0,20}\bwindow\b|\boutside\b.{0,40}\bfreeze window\b/i,
    'verification_freeze_window',
  ],
  [
    /\b(lock timeout|could not obtain (a )?lock|deadlock detected|database is locked|lock is held)\b/i,
    'lock_busy',
  ],
  [/\b(out of memory|heap limit|cannot allocate memory|MemoryError|bad_alloc)\b/i, 'out_of_memory'],
  [/\b(rate[ -]?limit(ed|s)?|too many requests)\b/i, 'rate_limited_upstream'],
  [/\b(timeout|time-out|timed out|deadline exceeded)\b/i, 'timeout'],
  [/\b(handshake|self[- ]signed|certificate|no symmetric key found)\b/i, 'handshake'],
  [
    /\b(blacklisted|identity (was )?rejected|hotkey (is )?(not registered|unknown|mismatch))\b/i,
    'rejected_identity',
  ],
  [
    /\bsignature\b.{0,40}\b(invalid|mismatch|failed|wrong)\b|\binvalid signature\b/i,
    'verification_signature',
  ],
  [/\bhash\b.{0,40}\b(changed|differs from before)\b/i, 'verification_hash_changed'],
  [/\bchunk\b.{0,40}\b(hash|checksum|corrupt|mismatch)/i, 'verification_chunk'],
  [
    /\b(manifest|hash|checksum)\b.{0,40}\b(mismatch|invalid|failed|wrong)\b|\bverification (failed|error)\b/i,
    'verification_manifest',
  ],
  [/\binference\b.{0,40}\b(failed|error|crashed)\b/i, 'miner_inference'],
  [/\b(missing variables?|variables? missing)\b/i, 'data_missing_variable'],
  [/\bERA5\b.{0,60}\bnot (yet )?(available|ready|published)\b/i, 'truth_not_ready'],
  [/\b(worker|process)\b.{0,20}\b(crashed|died|was killed)\b|\bSIG(KILL|SEGV|ABRT)\b/, 'process_crash'],
  [
    /\bconnection (failed|refused|reset|closed|lost|aborted|error|terminated)\b|\b(cannot|could not|failed to) connect\b|\bsocket hang up\b|\bnetwork is unreachable\b|\bother side closed\b/i,
    'connection',
  ],
  [/\b(not found|no such (file|key|object|bucket))\b/i, 'not_found'],
  [
    /\b(not valid JSON|invalid JSON|malformed (response|reply|JSON)|unexpected end of JSON)\b/i,
    'invalid_response',
  ],
];

/** Characters of a message that are matched; bounds the cost of the patterns. */
const MAX_LENGTH = 2000;

/** The category by the text of a message, or null. The last resort: people choose that text. */
export function categoryOfMessage(message: string): ErrorCategory | null {
  const text = message.slice(0, MAX_LENGTH);
  const freeze = MESSAGE_RULES[0];
  if (freeze?.[0].test(text) === true) return freeze[1];
  for (const pattern of HTTP_STATUS_WORDS) {
    const status = pattern.exec(text)?.[1];
    const category = status === undefined ? null : categoryOfHttpStatus(Number(status));
    if (category !== null) return category;
  }
  return MESSAGE_RULES.find(([words]) => words.test(text))?.[1] ?? null;
}
