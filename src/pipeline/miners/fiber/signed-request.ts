import { createHash, randomInt } from 'node:crypto';
import type { HotkeySigner } from '../hotkey-file.ts';

/** The two forms of signed requests: each network picks one, and its miners take no other. */
export const FIBER_DIALECTS = ['encrypted', 'unencrypted'] as const;
export type FiberDialect = (typeof FIBER_DIALECTS)[number];

/** Names of the headers, in lower case. */
export const HEADERS = {
  validator: 'validator-hotkey',
  miner: 'miner-hotkey',
  nonce: 'nonce',
  signature: 'signature',
  uuid: 'symmetric-key-uuid',
} as const;

/** How far a nonce may be from the miner's clock, both ways, and how long the miner remembers it, seconds. */
export const NONCE_WINDOW_SECONDS = 120;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_LETTERS = 10;
const NANOS_PER_MILLI = 1_000_000n;

/** A nonce for one HTTP request: miners take it once, even when they refuse the request. */
export function makeNonce(clockMillis: number): string {
  const letters = Array.from({ length: RANDOM_LETTERS }, () => LETTERS[randomInt(LETTERS.length)]);
  return `${BigInt(Math.floor(clockMillis)) * NANOS_PER_MILLI}_${letters.join('')}`;
}

/** What is signed. */
export interface SignedParts {
  readonly nonce: string;
  readonly minerHotkey: string;
  /** The uuid of the symmetric key; without encryption the SHA-256 of the body. */
  readonly last: string;
}

/** The text that the signature covers, in UTF-8. */
export const signedText = ({ nonce, minerHotkey, last }: SignedParts): Uint8Array =>
  new TextEncoder().encode(`${nonce}:${minerHotkey}:${last}`);

/** SHA-256 of a body as it is sent, in hex. */
export const bodyHash = (body: string): string => createHash('sha256').update(body).digest('hex');

/** The headers that prove who asks. */
export function signedHeaders(signer: HotkeySigner, parts: SignedParts): Readonly<Record<string, string>> {
  const signature = Buffer.from(signer.sign(signedText(parts))).toString('hex');
  return {
    [HEADERS.validator]: signer.hotkey,
    [HEADERS.miner]: parts.minerHotkey,
    [HEADERS.nonce]: parts.nonce,
    // Without the prefix the library of the miners fails.
    [HEADERS.signature]: `0x${signature}`,
  };
}
