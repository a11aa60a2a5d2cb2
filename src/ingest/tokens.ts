import { createHash, timingSafeEqual } from 'node:crypto';
import { CategorizedError } from '#semconv';

/** A bearer token, and for whom its bearer may speak. */
export interface IngestToken {
  readonly token: string;
  /** Hotkeys of the validators whose spans it may send; null for any. */
  readonly validators: ReadonlySet<string> | null;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * The token of an authorization header; null for none of these. All are compared, in constant time: the digests have one
 * length, so that timing reveals nothing about any of them.
 */
export function findToken(tokens: readonly IngestToken[], authorization = ''): IngestToken | null {
  const [, given = ''] = /^bearer +(.+)$/i.exec(authorization.trim()) ?? [];
  const got = digest(given);
  return tokens.filter(({ token }) => timingSafeEqual(got, digest(token)))[0] ?? null;
}

/**
 * Reads a file of tokens: on each line a token and the hotkeys for which it may speak, between spaces; lines that are
 * empty or begin with # are left out.
 *
 * @throws CategorizedError that names the line, and never the token
 */
export function parseTokens(text: string): readonly IngestToken[] {
  const seen = new Set<string>();
  return text.split(/\r?\n/).flatMap((line, index) => {
    const [token = '', ...validators] = line.trim().split(/\s+/);
    if (token === '' || token.startsWith('#')) return [];
    if (validators.length === 0) throw wrongLine(index, 'it has no hotkey behind the token');
    if (seen.has(token)) throw wrongLine(index, 'its token stands on an earlier line, too');
    seen.add(token);
    return [{ token, validators: new Set(validators) }];
  });
}

const wrongLine = (index: number, why: string): CategorizedError =>
  new CategorizedError(
    'validator_internal',
    `Line ${index + 1} of the file BAROGRAPH_INGEST_TOKENS_FILE is wrong: ${why}. Allowed: a token and the hotkeys of the ` +
      'validators for which it may speak, between spaces.',
  );
