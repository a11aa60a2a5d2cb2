import { hideMnemonics } from './mnemonics.ts';

const SECRET = '[secret]';
const TOKEN = '[token]';

/** One form in which secrets occur. */
interface SecretRule {
  /** One of them occurs, in any case, in every text that the rule changes: those of all rules are the prefilter. */
  readonly hints: readonly string[];
  readonly hide: (text: string) => string;
}

type Replacement = string | ((match: string, ...groups: string[]) => string);
const rule = (hints: string, pattern: RegExp, by: Replacement): SecretRule => ({
  hints: hints.split('|'),
  // The two overloads of `replace` are one at run time.
  hide: (text) => text.replace(pattern, by as string),
});

/** Issued tokens are told by their beginning, so the whole of one is hidden. */
const token = (hints: string, pattern: RegExp): SecretRule => rule(hints, pattern, TOKEN);

/** A value in quotation marks, or up to what ends one; a hidden one stays as it is. */
const VALUE = String.raw`(?:\[(?:secret|token)\]|\\{1,3}["'][^"'\\]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s&,;)}\]"']+)`;

function hideValue(match: string, name: string): string {
  const quote = /^["']/.exec(match.slice(name.length))?.[0] ?? '';
  return `${name}${quote}${SECRET}${quote}`;
}

/** `api_key`, `apiKey`, `private key` and so on, but not `hotkey`, which stands everywhere. */
const KEYS = '_key|-key| key|ikey|skey|ekey|ckey|nkey';

/** Names of secrets; the same ones are told as keys of objects. */
export const SECRET_NAMES =
  'token|secret(?:[_-]?(?:seed|phrase|key|access[_-]?key|token))?|passw(?:or)?d|passphrase|passcode|(?<![a-z])pwd|' +
  'api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|symmetric[_-]?key|fernet[_-]?key|encryption[_-]?key|' +
  'mnemonic|(?:seed|recovery)[_-]?(?:phrase|words)|cookie|credentials?|x-amz-signature|x-amz-credential|(?<![a-z])sig';
/** Names that mean something else, too: of a secret before `=` and as the key of a text. */
export const WEAK_SECRET_NAMES = 'pass|pw|auth|seed';
const QUOTE = String.raw`\\{0,3}["']`;
/** A text: no number, which counts or seeds something. */
const WEAK_VALUE = String.raw`(?:\[(?:secret|token)\]|\\{1,3}["'][^"'\\]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?!\d+(?:[\s&,;)}\]"'\\]|$))[^\s&,;)}\]"'\\]+)`;

/** What is said of a password or token, as opposed to its value. */
const SAID =
  /^(?:not|no|none|null|a|an|the|too|in|of|for|wrong|incorrect|invalid|required|missing|expired|empty|weak|unset|set|needed|refused|rejected|accepted|correct|unknown|known|used|valid|absent|given|file|entry|hidden|stored)$/i;
/** Letters with digits, with capitals between them, or with signs; a plain word is none. */
const looksChosen = (text: string): boolean =>
  text.length >= 6 && (/\d/.test(text) ? /[a-z]/i.test(text) : /[a-z][A-Z]|[^\w.-]/.test(text));

function hideToldValue(
  match: string,
  before: string,
  name: string,
  verb: string | undefined,
  value: string,
): string {
  const bare = value.replace(/^["']|["']$|[.:]+$/g, '');
  if (SAID.test(bare)) return match;
  if (verb === undefined && !looksChosen(bare) && !/^passwd$/i.test(name)) return match;
  return `${before}${SECRET}${/[.:]+$/.exec(value)?.[0] ?? ''}`;
}

/**
 * The forms in which secrets occur, in the order in which they are hidden. The forms of tokens follow what their issuers
 * publish and the rules of gitleaks (config/gitleaks.toml) and secretlint (secretlint-rule-preset-recommend) list;
 * lengths are lower bounds here, since hiding too much of a text costs less than a secret in a backup. Each pattern takes
 * linear time. `test/semconv/secrets/secret-rules.test.ts` has a secret and a near miss of each.
 */
export const SECRET_RULES = {
  'private-key': rule(
    'begin',
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|$)/g,
    SECRET,
  ),
  // `user:password` is what messages and manuals write.
  'url-credentials': rule(
    '://',
    /\b([a-z][a-z0-9+.-]{0,20}:\/\/)(?!\[secret\]@|user:password@)(?:[^\s/"'<>@]{1,256}|[^\s/"'<>@:]{0,64}:[^\s"'<>@]{0,256}(?:@[^\s"'<>@]{0,256}){0,3})@/gi,
    `$1${SECRET}@`,
  ),
  mnemonic: { hints: ['mnemonic', 'phrase', 'words'], hide: hideMnemonics },
  authorization: rule(
    'authorization',
    /\b(authorization["']?\s{0,8}[:=]\s{0,8}["']?)(?:(?:basic|bearer|digest|token)\s+)?[^\s"',;]+/gi,
    `$1${SECRET}`,
  ),
  bearer: rule('bearer', /\b(Bearer)\s+[\w.~+/=-]+/gi, `$1 ${TOKEN}`),
  basic: rule('basic ', /\b(Basic)\s+(?=[a-z+/]*[A-Z0-9=])[\w+/]{8,}={0,2}/g, `$1 ${TOKEN}`),
  cookie: rule(
    'cookie',
    /\b((?:set-)?cookie["']?\s{0,4}[:=](?!\s{0,4}["']?\[secret\])\s{0,4}["']?)[^\r\n"']+/gi,
    `$1${SECRET}`,
  ),
  jwt: token('eyj', /\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?/g),
  fernet: token('gaaaa', /\bgAAAA[\w-]{20,}={0,2}/g),
  aws: token('a3t|akia|asia|abia|acca', /\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g),
  github: token(
    'ghp_|gho_|ghu_|ghs_|ghr_|github_pat_',
    /\b(?:gh[pousr]_[A-Za-z0-9]{16,255}|github_pat_\w{16,255})/g,
  ),
  gitlab: token(
    'glpat-|gldt-|glrt-|glcbt-|glptt-|glsoat-|glft-|glimt-|glagent-|gloas-',
    /\bgl(?:pat|dt|rt|cbt|ptt|soat|ft|imt|agent|oas)-[\w-]{16,}/g,
  ),
  'sk-key': token('sk-', /\bsk-(?=[\w-]*[0-9A-Z])[\w-]{16,}/g),
  stripe: token('sk_|rk_', /\b[sr]k_(?:test|live|prod)_[A-Za-z0-9]{10,99}/g),
  slack: token(
    'xox|xapp-|hooks.',
    /\bxox[abeoprs]-[\w-]{10,}|\bxapp-\d-[\w-]{10,}|(?<=\bhooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/+-]{16,}/g,
  ),
  discord: token('webhooks', /(?<=\bdiscord(?:app)?\.com\/api\/webhooks\/)\d+\/[\w-]{16,}/g),
  google: token('aiza|ya29|gocspx', /\b(?:AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})/g),
  'hugging-face': token('hf_', /\bhf_[A-Za-z0-9]{30,}/g),
  npm: token('npm_', /\bnpm_[A-Za-z0-9]{36}/g),
  pypi: token('pypi-', /\bpypi-[\w-]{50,}/g),
  sendgrid: token('sg.', /\bSG\.[\w-]{16,}\.[\w-]{16,}/g),
  'digital-ocean': token('_v1_', /\bdo[opr]_v1_[a-f0-9]{64}/g),
  vault: token('hvs.|hvb.', /\bhv[sb]\.[\w-]{20,}/g),
  databricks: token('dapi', /\bdapi[a-f0-9]{32}/g),
  grafana: token('glsa_|glc_', /\b(?:glsa|glc)_[\w+/=]{32,}/g),
  twilio: token('sk0|sk1|sk2|sk3|sk4|sk5|sk6|sk7|sk8|sk9|ska|skb|skc|skd|ske|skf', /\bSK[0-9a-f]{32}\b/g),
  telegram: token(':a', /\b\d{5,16}:A[\w-]{34}(?![\w-])/g),
  age: token('age-secret-key', /\bAGE-SECRET-KEY-1[0-9A-Z]{58}/g),
  'curl-user': rule(
    '-u',
    /((?:^|\s)(?:-u|--user|--proxy-user)[\s=]{1,3}["']?[^\s:"']{1,128}:)(?!\[secret\])[^\s"']+/g,
    `$1${SECRET}`,
  ),
  option: rule(
    '--',
    new RegExp(
      `(--[\\w.-]{0,32}(?:password|passwd|pass|token|secret|api-?key|auth|mnemonic|seed)[ =]{1,3})(?=\\S{0,63}[^\\d\\s])${VALUE}`,
      'gi',
    ),
    hideValue,
  ),
  environment: rule(
    '_pw|_pass|_key|token|secret|seed|auth|_cred',
    new RegExp(
      `(\\b[A-Z][A-Z0-9_]{0,40}_(?:PW|PASS|PWD|KEY|TOKEN|SECRET|SEED|AUTH|CREDS?)\\s{0,2}=\\s{0,2})${VALUE}`,
      'g',
    ),
    hideValue,
  ),
  'query-parameter': rule(
    '?key=|&key=|auth=|pass=|pw=|?k=|&k=',
    /([?&](?:key|auth|pass|pw|k)=)(?!\[secret\])[^&\s"'#]+/gi,
    `$1${SECRET}`,
  ),
  named: rule(
    `token|secret|pass|pwd|${KEYS}|mnemonic|phrase|words|cookie|credential|x-amz-|sig`,
    new RegExp(`((?:${SECRET_NAMES})\\\\{0,3}["']?\\s{0,8}[:=]\\s{0,8})${VALUE}`, 'gi'),
    hideValue,
  ),
  weak: rule(
    'pass|pw|auth|seed',
    new RegExp(
      `((?<![a-z])(?:${WEAK_SECRET_NAMES})=|${QUOTE}(?:${WEAK_SECRET_NAMES})${QUOTE}\\s{0,2}:\\s{0,2})${WEAK_VALUE}`,
      'gi',
    ),
    hideValue,
  ),
  seed: rule(
    'seed',
    /\b(seed(?:[_-]?hex)?["']?\s{0,4}(?:[:=]|is\s)?\s{0,4}["']?)(?:0x[0-9a-f]{8,}|[0-9a-f]{32,}|[\w+/-]{40,}={0,2})/gi,
    `$1${SECRET}`,
  ),
  prose: rule(
    `pass|token|secret|${KEYS}`,
    /\b((password|passwd|passphrase|passcode|secret|token|api[ _-]?key)\s{1,4}(?:(is|was)\s{1,4})?)(?!is\s|was\s)("[^"]{2,256}"|'[^']{2,256}'|[^\s"',;()[\]{}<>]{2,256})/gi,
    hideToldValue,
  ),
  'key-in-prose': rule(
    KEYS,
    /\b((?:fernet|symmetric|private|secret|encryption)[ _-]key(?:[ _-]uuid)?\s{1,8}(?:is\s{1,8})?)[\w+/=-]{16,}/gi,
    `$1${SECRET}`,
  ),
} as const satisfies Readonly<Record<string, SecretRule>>;
