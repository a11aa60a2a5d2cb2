import { wordlist } from '@scure/bip39/wordlists/english.js';

const SECRET = '[secret]';
const WORDS: ReadonlySet<string> = new Set(wordlist);
/** The shortest mnemonic of BIP-39. Fewer words of the list in a row are plain English: `weather`, `table`, `open`. */
const LEAST_WORDS = 12;

/** A row of words as long as those of the list, whatever separates them: spaces, commas, numbers, JSON. */
const ROW = /\b[a-z]{3,8}(?:[^a-z]{1,8}[a-z]{3,8}){11,}\b/gi;
const WORD = /[a-z]+/gi;

/** A key that tells of a mnemonic, and the words behind it. */
const TOLD =
  /\b((?:mnemonic(?:[ _-]?phrase)?|(?:seed|recovery|secret|backup|wallet)[ _-]?(?:phrase|words?))["']?\s{0,4}(?:([:=]|is\s|was\s)\s{0,4})?["']?)([a-z]{2,12}(?:[\s,]{1,3}[a-z]{2,12}){0,35}[\w-]{0,64})/gi;
/** What is said of a mnemonic, as opposed to its first word. */
const SAID =
  /^(?:not|no|invalid|wrong|missing|incorrect|required|unknown|empty|too|must|should|a|an|the|of|in)$/i;

const isListed = (text: string | undefined): boolean => text !== undefined && WORDS.has(text.toLowerCase());

/** The words of a list: a mnemonic that was stored word by word. */
export const isMnemonic = (items: readonly unknown[]): boolean =>
  items.length >= LEAST_WORDS && items.every((item) => typeof item === 'string' && isListed(item));

const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;

/** Whether a text has as many words of that length in a row. A loop, which is ten times as fast as the pattern. */
function hasManyWords(text: string): boolean {
  let words = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (at < text.length && isLetter(text.charCodeAt(at))) continue;
    const length = at - start;
    start = at + 1;
    if (length === 0) continue;
    words = length >= 3 && length <= 8 ? words + 1 : 0;
    if (words === LEAST_WORDS) return true;
  }
  return false;
}

/** Whether a text holds a mnemonic without a key that tells of it; most texts have too few words. */
export const holdsMnemonic = (text: string): boolean =>
  hasManyWords(text) && text.replace(ROW, hideRows) !== text;

function hideRows(row: string): string {
  const words = [...row.matchAll(WORD)];
  let hidden = '';
  let written = 0;
  for (let first = 0; first < words.length; first += 1) {
    let end = first;
    while (isListed(words[end]?.[0])) end += 1;
    if (end - first < LEAST_WORDS) continue;
    const last = words[end - 1];
    hidden += row.slice(written, words[first]?.index) + SECRET;
    written = (last?.index ?? 0) + (last?.[0].length ?? 0);
    first = end;
  }
  return hidden + row.slice(written);
}

/** Hides the first word, and the others up to the last one that is listed; one unlisted word is bridged. */
function hideTold(match: string, key: string, verb: string | undefined, following: string): string {
  const words = [...following.matchAll(WORD)];
  const texts = words.map(([text]) => text);
  const isValue = /[:=]/.test(verb ?? '');
  if (!isValue && SAID.test(texts[0] ?? '')) return match;
  if (verb === undefined && !(isListed(texts[0]) && isListed(texts[1]))) return match;
  let count = 1;
  while (count < texts.length && (isListed(texts[count]) || isListed(texts[count + 1]))) count += 1;
  const last = words[count - 1];
  // With what is a part of the same word: a half of a secret is one.
  return `${key}${SECRET}${following.slice((last?.index ?? 0) + (last?.[0].length ?? 0)).replace(/^[\w-]+/, '')}`;
}

/** Hides mnemonics by BIP-39: twelve or more words of its English list in a row, or words behind a key that tells of one. */
export const hideMnemonics = (text: string): string => text.replace(TOLD, hideTold).replace(ROW, hideRows);
