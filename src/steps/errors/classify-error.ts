import { ERROR_CATEGORIES, type ErrorCategory } from '#semconv';
import { categoryOfCode, categoryOfHttpStatus } from './error-codes.ts';
import { categoryOfMessage } from './error-messages.ts';
import { classOf, errorChain, readHttpStatus, readMessage, readProperty, readText } from './unknown-error.ts';

/** Error classes that determine a category. */
const CATEGORY_OF_CLASS: ReadonlyMap<string, ErrorCategory> = new Map([
  ['AbortError', 'timeout'],
  ['TimeoutError', 'timeout'],
  ['ConnectTimeoutError', 'timeout'],
  ['HeadersTimeoutError', 'timeout'],
  ['BodyTimeoutError', 'timeout'],
  ['ZodError', 'invalid_response'],
  ['$ZodError', 'invalid_response'],
]);
/** Classes of mistakes in a program; their messages are about the program, not about the miner. */
const PROGRAMMING_ERRORS: readonly string[] = [
  'TypeError',
  'ReferenceError',
  'RangeError',
  'SyntaxError',
  'AssertionError',
];
/** `fetch` throws a TypeError for a lost connection; its cause usually has the code. */
const LOST_FETCH = /^(fetch failed|terminated|failed to fetch)$/i;
const OUT_OF_MEMORY = /^(Invalid array length|Array buffer allocation failed|Invalid string length)/;

/**
 * The one category of a failure, from anything that was thrown or given as an error.
 *
 * A category that the error names itself comes first, then its code, HTTP status and class, then the same of its
 * causes, outermost first; the words of the messages are the last resort. Never throws.
 *
 * @example
 * ```ts
 * import { classifyError } from 'barograph';
 *
 * classifyError(Object.assign(new Error('gone'), { code: 'ECONNRESET' })); // 'connection'
 * ```
 */
export function classifyError(error: unknown): ErrorCategory {
  const chain = errorChain(error);
  for (const link of chain) {
    const category = structuredCategory(link.error);
    if (category !== null) return category;
  }
  for (const link of chain) {
    const category = messageCategory(link.error);
    if (category !== null) return category;
  }
  return 'unknown';
}

/** The category by the facts of one error, without its message text. */
function structuredCategory(error: unknown): ErrorCategory | null {
  const named = namedCategory(error);
  if (named !== null) return named;
  const code = readText(error, 'code');
  const ofCode = code === undefined ? null : categoryOfCode(code);
  return ofCode ?? statusCategory(error) ?? CATEGORY_OF_CLASS.get(classOf(error)) ?? nativeCategory(error);
}

/** The error's own `category`. Duck-typed, since a process may load two copies of `CategorizedError`. */
function namedCategory(error: unknown): ErrorCategory | null {
  const value = readProperty(error, 'category');
  return ERROR_CATEGORIES.find((category) => category === value) ?? null;
}

function statusCategory(error: unknown): ErrorCategory | null {
  const status = readHttpStatus(error);
  return status === undefined ? null : categoryOfHttpStatus(status);
}

/** Errors of the JavaScript engine, whose texts V8 fixes. */
function nativeCategory(error: unknown): ErrorCategory | null {
  const kind = classOf(error);
  if (kind === 'SyntaxError' && /\bJSON\b/.test(readMessage(error))) return 'invalid_response';
  if (kind === 'RangeError' && OUT_OF_MEMORY.test(readMessage(error))) return 'out_of_memory';
  return null;
}

function messageCategory(error: unknown): ErrorCategory | null {
  const message = readMessage(error);
  if (!PROGRAMMING_ERRORS.includes(classOf(error))) return categoryOfMessage(message);
  return LOST_FETCH.test(message) ? 'connection' : 'validator_internal';
}

/** Whether an error of this category is transient, so that the next attempt may succeed. */
const IS_TRANSIENT: Readonly<Record<ErrorCategory, boolean>> = {
  timeout: true,
  connection: true,
  handshake: true,
  http_4xx: false,
  http_5xx: true,
  rejected_identity: false,
  invalid_response: false,
  not_found: false,
  verification_manifest: false,
  verification_signature: false,
  verification_hash_changed: false,
  verification_freeze_window: false,
  verification_chunk: false,
  data_missing_variable: false,
  data_coverage: false,
  data_extreme: false,
  miner_inference: false,
  rate_limited_upstream: true,
  truth_not_ready: true,
  truth_missing: false,
  out_of_memory: true,
  lock_busy: true,
  isolation_violation: false,
  process_crash: true,
  validator_internal: false,
  unknown: false,
};

/**
 * Whether a retry can help. The `retryable` of the first error in the cause chain that names its category decides, else
 * the category: a time-out is transient, a rejected identity is not. Never throws.
 *
 * @example
 * ```ts
 * import { CategorizedError, isRetryable } from 'barograph';
 *
 * isRetryable(new CategorizedError('timeout', 'no reply within 45 s')); // true
 * ```
 */
export function isRetryable(error: unknown): boolean {
  for (const link of errorChain(error)) {
    const value = readProperty(link.error, 'retryable');
    if (typeof value === 'boolean' && namedCategory(link.error) !== null) return value;
  }
  return IS_TRANSIENT[classifyError(error)];
}
