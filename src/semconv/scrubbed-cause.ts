import { scrubText } from './scrub.ts';
import { isError } from './message-of.ts';

/** As deep and as wide as the record of an error goes; also ends a cycle. */
const MAX_DEPTH = 8;
const MAX_MEMBERS = 8;
const HIDDEN = '[REDACTED]';
/** V8 quotes the text that it could not parse; that text is a stranger's, and may hold a token. */
const QUOTED_JSON = /, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s;

/**
 * Copies an error, to be kept as the `cause` of the one that wraps it: class, code, message, causes and the members of
 * an AggregateError. The original must not be kept, since undici and Node put the address of the peer into messages,
 * properties and sockets, and whoever prints the wrapper prints them, too.
 *
 * @param secrets what must not occur in any message, besides what `scrubText` recognises: hosts, tokens
 */
export function scrubbedCause(error: unknown, secrets: readonly string[] = []): Error {
  return copyAt(
    error,
    secrets.filter((secret) => secret !== ''),
    0,
  );
}

function copyAt(error: unknown, secrets: readonly string[], depth: number): Error {
  if (!isError(error)) return new Error(hide(`a thrown ${typeof error}`, secrets));
  const copy = new Error(hide(error.message, secrets));
  define(copy, 'name', error.name === 'Error' ? error.constructor.name : error.name);
  if ('code' in error && typeof error.code === 'string') define(copy, 'code', hide(error.code, secrets));
  if (depth >= MAX_DEPTH) return copy;
  if ('errors' in error && Array.isArray(error.errors)) {
    const members = error.errors.slice(0, MAX_MEMBERS) as unknown[];
    define(
      copy,
      'errors',
      members.map((member) => copyAt(member, secrets, depth + 1)),
    );
  }
  if (error.cause != null) define(copy, 'cause', copyAt(error.cause, secrets, depth + 1));
  return copy;
}

function hide(text: string, secrets: readonly string[]): string {
  const unquoted = text.replace(QUOTED_JSON, ' is not valid JSON');
  return scrubText(secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), unquoted));
}

const define = (error: Error, key: string, value: unknown): void => {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false });
};
