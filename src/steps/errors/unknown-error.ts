/**
 * Total readers of thrown values. Anything can be thrown: texts, null, objects with getters that throw, revoked
 * proxies; so no function here throws, and an unreadable part is absent.
 */

/** A property of any value; undefined when there is none or it cannot be read. */
export function readProperty(value: unknown, key: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  try {
    return Reflect.get(value, key) as unknown;
  } catch {
    return undefined;
  }
}

/** A text property of any value; undefined when it is empty or no text. */
export function readText(value: unknown, key: string): string | undefined {
  const text = readProperty(value, key);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The class of a thrown value: its `name` unless that is `Error`, else its constructor's; else its type. */
export function classOf(error: unknown): string {
  if (error === null) return 'null';
  if (typeof error !== 'object' && typeof error !== 'function') return typeof error;
  const name = readText(error, 'name');
  if (name !== undefined && name.toLowerCase() !== 'error') return name;
  return readText(readProperty(error, 'constructor'), 'name') ?? name ?? typeof error;
}

/** The message of a thrown value, else the value as text. Unlike `messageOf`, it never throws. */
export function readMessage(error: unknown): string {
  const message = readProperty(error, 'message');
  if (typeof message === 'string') return message;
  if (typeof error === 'object' && error !== null) return `a thrown ${classOf(error)} without a message`;
  try {
    return String(error);
  } catch {
    return 'a thrown value that cannot be read';
  }
}

/**
 * The HTTP status that an error carries, as fetch clients name it: `status` or `statusCode`, its own or of its `response`.
 * Undefined for a number that is none, such as the exit status of a process.
 */
export function readHttpStatus(error: unknown): number | undefined {
  const response = readProperty(error, 'response');
  return [error, response]
    .flatMap((value) => [readProperty(value, 'status'), readProperty(value, 'statusCode')])
    .find(
      (value): value is number => Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 599,
    );
}

/** A link of the chain of errors. `member` is the place in the `errors` of the AggregateError before it. */
export interface ErrorLink {
  readonly error: unknown;
  readonly member?: number;
}

const MAX_DEPTH = 8;
const MAX_MEMBERS = 8;

/**
 * The error, its chain of causes and the members of each AggregateError, outermost first; at most eight levels and
 * eight members of each. Every error appears once, so a cycle ends.
 */
export function errorChain(error: unknown): readonly ErrorLink[] {
  const seen = new Set<unknown>();
  const links: ErrorLink[] = [];
  let current = error;
  for (let depth = 0; depth <= MAX_DEPTH && !seen.has(current); depth += 1) {
    seen.add(current);
    links.push({ error: current });
    for (const [index, member] of membersOf(current).entries()) {
      if (seen.has(member)) continue;
      seen.add(member);
      links.push({ error: member, member: index });
    }
    current = readProperty(current, 'cause');
    if (current === undefined || current === null) break;
  }
  return links;
}

function membersOf(error: unknown): readonly unknown[] {
  const members = readProperty(error, 'errors');
  try {
    return Array.isArray(members) && classOf(error) === 'AggregateError' ? members.slice(0, MAX_MEMBERS) : [];
  } catch {
    return [];
  }
}
