import { memoize } from './memoize.ts';
import { holdsMnemonic, isMnemonic } from './secrets/mnemonics.ts';
import { SECRET_NAMES, SECRET_RULES, WEAK_SECRET_NAMES } from './secrets/secret-rules.ts';

const HIDDEN_VALUE = '[secret]';
/** Deeper than any recorded value; also ends a cycle. */
const MAX_DEPTH = 64;
const MAX_PASSES = 10;

const RULES = Object.values(SECRET_RULES);
const escaped = (hint: string): string => hint.replace(/[.?]/g, '\\$&');
const HINT = new RegExp([...new Set(RULES.flatMap(({ hints }) => hints))].map(escaped).join('|'), 'i');
/** Instants, UUIDs and hashes. */
const DIGITS = /^[\dA-F:.TZ+-]*$/i;

/** Texts without a secret: the same statuses, names and hotkeys come with every step. */
const clean = new Set<string>();
const MAX_CLEAN = 1000;
const MAX_CLEAN_LENGTH = 100;

/** Prefilter: hardly a text of a good run goes through the rules. */
function mayHoldSecret(text: string): boolean {
  if (clean.has(text) || DIGITS.test(text)) return false;
  if (HINT.test(text) || holdsMnemonic(text)) return true;
  keepClean(text);
  return false;
}

function keepClean(text: string): void {
  if (text.length > MAX_CLEAN_LENGTH) return;
  if (clean.size >= MAX_CLEAN) clean.clear();
  clean.add(text);
}

const SECRET_KEY = new RegExp(`(?:^|[_.-])(?:${SECRET_NAMES}|authorization|symmetric_key_uuid)$`, 'i');
const WEAK_SECRET_KEY = new RegExp(`(?:^|[_.-])(?:${WEAK_SECRET_NAMES})$`, 'i');

/** Whether a key neither names nor holds a secret, whatever its value is. */
const isPlainKey = memoize(
  (key) => !namesSecret(key) && !namesWeakSecret(key) && hideSecretValues(key) === key,
);

const toWords = (key: string): string => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2');

const namesSecret = memoize((key) => SECRET_KEY.test(toWords(key)));
const namesWeakSecret = memoize((key) => WEAK_SECRET_KEY.test(toWords(key)));

/** Whether an object key names a secret: `accessToken`, `api_key`; of some, such as `seed`, only a text is one. */
export const isSecretKey = (key: string, value: unknown): boolean =>
  value !== null && (namesSecret(key) || (typeof value === 'string' && namesWeakSecret(key)));

/** Hides tokens, keys, passwords and mnemonics, recognised by their form or by the name before them. Idempotent. */
export function hideSecretValues(text: string): string {
  if (!mayHoldSecret(text)) return text;
  const hidden = isJson(text) ? hideInJson(text) : applyRules(text);
  if (hidden === text) keepClean(text);
  return hidden;
}

/** To a fixed point, since what one rule hides may end the word that another one begins with. */
function applyRules(text: string): string {
  let hidden = text;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const before = hidden;
    for (const { hide } of RULES) hidden = hide(hidden);
    if (hidden === before) break;
  }
  return hidden;
}

const isJson = (text: string): boolean => text.startsWith('{') || text.startsWith('[');

/** In a JSON text each value is looked at alone: what ends a value for the rules may stand within one. */
function hideInJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const hidden = hideSecrets(value);
    return hidden === value ? text : JSON.stringify(hidden);
  } catch {
    return applyRules(text);
  }
}

/**
 * Hides secrets in all texts and keys of a JSON-like value, and values whose key names a secret. The same value comes
 * back when it holds none, so that the usual case costs no copy.
 */
export function hideSecrets<Value>(value: Value): Value {
  return hideAt(value, 0) as Value;
}

function hideAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return hideSecretValues(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return hideInList(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return hideInMembers(value as Readonly<Record<string, unknown>>, depth);
}

function hideInList(list: readonly unknown[], depth: number): unknown {
  if (isMnemonic(list)) return HIDDEN_VALUE;
  const hidden = list.map((item) => hideAt(item, depth + 1));
  return hidden.every((item, at) => item === list[at]) ? list : hidden;
}

/** Looks first and copies only when something is hidden: most members of most spans hold no secret. */
function hideInMembers(members: Readonly<Record<string, unknown>>, depth: number): unknown {
  for (const key of Object.keys(members)) {
    const value = members[key];
    if (!isPlainKey(key) || hideAt(value, depth + 1) !== value) return copyWithout(members, depth);
  }
  return members;
}

function copyWithout(members: Readonly<Record<string, unknown>>, depth: number): unknown {
  const entries = Object.entries(members);
  const hidden = entries.map(([key, value]): [string, unknown] => [
    hideSecretValues(key),
    isSecretKey(key, value) ? HIDDEN_VALUE : hideAt(value, depth + 1),
  ]);
  const isSame = hidden.every(([key, value], at) => key === entries[at]?.[0] && value === entries[at][1]);
  return isSame ? members : Object.fromEntries(hidden);
}
