import { hideFilePaths } from './file-paths.ts';
import { hideNetworkAddresses } from './network-addresses.ts';
import { memoize } from './memoize.ts';
import { isMnemonic } from './secrets/mnemonics.ts';
import { hideSecretValues, isSecretKey } from './secret-values.ts';

const HIDDEN_VALUE = '[secret]';
/** Deeper than any recorded value; also ends a cycle. */
const MAX_DEPTH = 64;
const ADDRESS_KEY = /(?:^|[_.-])(?:ip|ip_address|ipv4|ipv6|port)$/i;
/** Prefilter: every address and path has one of these, so a text without them, such as a status, is looked at once. */
const SUSPICIOUS = /[/\\:.]|ENOTFOUND|EAI_AGAIN/;

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
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const before = scrubbed;
    scrubbed = hideSecretValues(before);
    if (SUSPICIOUS.test(scrubbed)) scrubbed = hideFilePaths(hideNetworkAddresses(scrubbed));
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
  if (Array.isArray(value) && isMnemonic(value)) return HIDDEN_VALUE;
  if (Array.isArray(value)) return value.map((item) => scrubAt(item, depth + 1));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      scrubText(key),
      isSecretKey(key, item) || (item !== null && isAddressKey(key))
        ? HIDDEN_VALUE
        : scrubAt(item, depth + 1),
    ]),
  );
}

const isAddressKey = memoize((key) => ADDRESS_KEY.test(key.replace(/([a-z0-9])([A-Z])/g, '$1_$2')));

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
