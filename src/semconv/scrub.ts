import { hideFilePaths } from './file-paths.ts';
import { hideNetworkAddresses } from './network-addresses.ts';
import { hideSecretValues, isSecretKey } from './secret-values.ts';

const HIDDEN_VALUE = '[secret]';
/** Deeper than any recorded value; also ends a cycle. */
const MAX_DEPTH = 64;
/** Prefilter: every rule needs one of these, so a text without them, such as a status, skips all rules. */
const SUSPICIOUS = /[/\\:=.]|bearer|key|gAAAA|ENOTFOUND|EAI_AGAIN/i;

/**
 * Rules run to a fixed point, since one may expose a match of another (a path behind an address); two passes nearly
 * always suffice.
 */
const MAX_PASSES = 10;

/**
 * Removes what must never be stored or shown: tokens, keys and passwords, addresses and ports, hosts of URLs, and
 * absolute paths. Hotkeys, hashes, versions and times stay. Idempotent.
 */
export function scrubText(text: string): string {
  let scrubbed = text;
  for (let pass = 0; pass < MAX_PASSES && SUSPICIOUS.test(scrubbed); pass += 1) {
    const before = scrubbed;
    scrubbed = hideFilePaths(hideNetworkAddresses(hideSecretValues(before)));
    if (scrubbed === before) break;
  }
  return scrubbed;
}

/**
 * Scrubs all texts and keys of a JSON-like value, and hides values whose key names a secret (`token`, `password`,
 * `private_key`, `ip` and the like). Other values stay as they are.
 */
export function scrubValue(value: unknown): unknown {
  return scrubAt(value, 0);
}

function scrubAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => scrubAt(item, depth + 1));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      scrubText(key),
      isSecretKey(key) && item !== null ? HIDDEN_VALUE : scrubAt(item, depth + 1),
    ]),
  );
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
