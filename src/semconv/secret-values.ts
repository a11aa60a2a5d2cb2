const SECRET = '[secret]';
const TOKEN = '[token]';

const PRIVATE_KEY_BLOCK =
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g;
const JWT = /\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?/g;
/** Fernet tokens begin with a version byte and the zero bytes of a 64-bit timestamp: `gAAAA` in base64. */
const FERNET_TOKEN = /\bgAAAA[\w-]{20,}={0,2}/g;
const BEARER = /\b(Bearer)\s+[\w.~+/=-]+/gi;
const AUTHORIZATION =
  /\b(authorization["']?\s{0,8}[:=]\s{0,8}["']?)(?:(?:basic|bearer|digest|token)\s+)?[^\s"',;]+/gi;

const NAMES =
  'token|secret|passw(?:or)?d|passphrase|(?<![a-z])pwd|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|' +
  'symmetric[_-]?key|fernet[_-]?key|encryption[_-]?key|secret[_-]?key|mnemonic|seed[_-]?phrase|cookie|credentials?|' +
  'x-amz-signature|x-amz-credential|(?<![a-z])sig';
/** `name=value`, `name: value`, `"name":"value"`; a quoted value keeps its quotes. */
const NAMED_SECRET = new RegExp(
  `((?:${NAMES})["']?\\s{0,8}[:=]\\s{0,8})(?:\\[(?:secret|token)\\]|"[^"]*"|'[^']*'|[^\\s&,;)}\\]"']+)`,
  'gi',
);
/** `fernet key 5f2a…`: the name of a key in prose, then a value long enough to be one. */
const KEY_IN_PROSE =
  /\b((?:fernet|symmetric|private|secret|encryption)[ _-]key(?:[ _-]uuid)?\s{1,8}(?:is\s{1,8})?)[\w+/=-]{16,}/gi;

const SECRET_KEY = new RegExp(`(?:^|[_.-])(?:${NAMES}|authorization|symmetric_key_uuid)$`, 'i');
const ADDRESS_KEY = /(?:^|[_.-])(?:ip|ip_address|ipv4|ipv6|port)$/i;

function hideValue(match: string, name: string): string {
  const quote = /^["']/.exec(match.slice(name.length))?.[0] ?? '';
  return `${name}${quote}${SECRET}${quote}`;
}

/** Hides tokens, keys and passwords, recognised by their form or by the name before them. */
export function hideSecretValues(text: string): string {
  return text
    .replace(PRIVATE_KEY_BLOCK, SECRET)
    .replace(AUTHORIZATION, `$1${SECRET}`)
    .replace(BEARER, `$1 ${TOKEN}`)
    .replace(JWT, TOKEN)
    .replace(FERNET_TOKEN, TOKEN)
    .replace(NAMED_SECRET, hideValue)
    .replace(KEY_IN_PROSE, `$1${SECRET}`);
}

/** Whether an object key names a secret: `accessToken`, `api_key`, `ip`. */
export function isSecretKey(key: string): boolean {
  const words = key.replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return SECRET_KEY.test(words) || ADDRESS_KEY.test(words);
}
