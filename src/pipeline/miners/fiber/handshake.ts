import { constants, createPublicKey, publicEncrypt, randomBytes, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import type { HotkeySigner } from '../hotkey-file.ts';
import { MinerCallError } from '../miner-call-error.ts';
import { callMiner, type CallSurroundings, type MinerCall } from '../miner-call.ts';
import { JSON_HEADERS, toCall, type MinerRequest } from '../transport.ts';
import { FERNET_KEY_BYTES } from './fernet.ts';
import { explainHandshakeRejection } from './rejections.ts';
import { HEADERS, makeNonce, signedHeaders } from './signed-request.ts';

/** The endpoints that agree on a key. */
export const HANDSHAKE_PATHS = {
  offer: '/public-encryption-key',
  exchange: '/exchange-symmetric-key',
} as const;

/** A key that was agreed on with a miner. */
export interface Session {
  /** A secret. */
  readonly key: Uint8Array;
  /** Names the key, 64 hex digits. */
  readonly uuid: string;
  /** How far the miner's clock is ahead of ours by its own word, seconds; null when it gave none. */
  readonly skewSeconds: number | null;
  /** By the monotonic clock, milliseconds. */
  readonly madeAt: number;
}

/** Who asks, and by which clock. */
export interface FiberIdentity {
  readonly signer: HotkeySigner;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

const OFFER_LIMIT_BYTES = 64 * 1024;
const UUID_BYTES = 32;
/** Miners draw RSA keys of 2048 bits; what is far larger would cost us more than them. */
const RSA_BITS = { least: 2048, most: 8192 };
/** With 1 the key would travel in the clear; even ones are none of RSA. */
const EXPONENT = { least: 3n, most: 0xffff_ffffn };
const offerSchema = z.object({
  public_key: z.string().startsWith('-----BEGIN PUBLIC KEY-----'),
  timestamp: z.number().nullish().catch(null),
});

/** The forms of a key in which a reply could repeat it. */
export const secretsOfSession = ({ key, uuid }: Session): string[] => {
  const bytes = Buffer.from(key);
  const base64 = [bytes.toString('base64'), bytes.toString('base64url')];
  return [...base64.map((text) => text.replace(/=$/, '')), bytes.toString('hex'), uuid];
};

function parsePublicKey(pem: string): KeyObject {
  const key = createPublicKey({ key: pem, format: 'pem', type: 'spki' });
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  const isOfSize = modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most;
  const isExponent =
    publicExponent >= EXPONENT.least && publicExponent <= EXPONENT.most && publicExponent % 2n === 1n;
  if (key.asymmetricKeyType !== 'rsa' || !isOfSize || !isExponent)
    throw new RangeError(
      `it is ${key.asymmetricKeyType ?? 'of no type'} with ${modulusLength} bits and exponent ${publicExponent}`,
    );
  return key;
}

/** The public key that a miner offers, and the time that it gives. */
function readOffer(bytes: Uint8Array): { readonly publicKey: KeyObject; readonly timestamp: number | null } {
  const { public_key: pem, timestamp } = offerSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return { publicKey: parsePublicKey(pem), timestamp: timestamp ?? null };
}

const ALLOWED_KEY = `an RSA key of ${RSA_BITS.least} to ${RSA_BITS.most} bits as public_key, in PEM`;

/** Encrypts a key for a miner. A public key that parses may still be no RSA key (an even modulus), which fails only here. */
function seal(publicKey: KeyObject, key: Uint8Array): string {
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  return publicEncrypt({ key: publicKey, ...padding }, key).toString('base64');
}

/** A new key, encrypted for the miner by the public key that it offers. */
async function drawKey(
  request: MinerRequest,
  surroundings: CallSurroundings,
  { signer, clock }: FiberIdentity,
) {
  const call: MinerCall = {
    ...toCall(request),
    path: HANDSHAKE_PATHS.offer,
    purpose: `the request for its public key, before ${request.type},`,
    maxBytes: OFFER_LIMIT_BYTES,
    explain: (reply) =>
      explainHandshakeRejection(reply, {
        dialect: 'encrypted',
        validatorHotkey: signer.hotkey,
        skewSeconds: null,
        nowMillis: clock(),
      }),
  };
  const askedAt = clock();
  const { bytes, statusCode } = await callMiner(call, surroundings);
  try {
    const { publicKey, timestamp } = readOffer(bytes);
    const between = (askedAt + clock()) / 2000;
    const key = randomBytes(FERNET_KEY_BYTES);
    const skewSeconds = timestamp === null ? null : timestamp - between;
    return { key, sealed: seal(publicKey, key), skewSeconds };
  } catch (error) {
    const message = `miner ${request.miner.uid} offers no key that can be used before ${request.type}; allowed: ${ALLOWED_KEY}`;
    const progress = { statusCode, bytes: bytes.length, wireStatus: null };
    throw new MinerCallError(request.type, 'handshake', {
      message,
      progress,
      cause: scrubbedCause(error, []),
    });
  }
}

/**
 * Agrees on a key with a miner: takes its public key, draws a key, and sends that encrypted and signed.
 *
 * @throws MinerCallError `handshake` when no key can be agreed on, or what kept a call from its reply
 */
export async function shakeHands(
  request: MinerRequest,
  surroundings: CallSurroundings,
  identity: FiberIdentity,
): Promise<Session> {
  const { signer, clock } = identity;
  const { key, sealed, skewSeconds } = await drawKey(request, surroundings, identity);
  const uuid = randomBytes(UUID_BYTES).toString('hex');
  const session = { key, uuid, skewSeconds, madeAt: surroundings.now() };
  const nonce = makeNonce(clock());
  const signed = signedHeaders(signer, { nonce, minerHotkey: request.miner.hotkey, last: uuid });
  const call: MinerCall = {
    ...toCall(request),
    path: HANDSHAKE_PATHS.exchange,
    purpose: `the exchange of a key, before ${request.type},`,
    body: JSON.stringify({ encrypted_symmetric_key: sealed }),
    headers: { ...JSON_HEADERS, ...signed, [HEADERS.uuid]: uuid },
    secrets: [...secretsOfSession(session), signed[HEADERS.signature] ?? nonce],
    explain: (reply) =>
      explainHandshakeRejection(reply, {
        dialect: 'encrypted',
        validatorHotkey: signer.hotkey,
        skewSeconds,
        nowMillis: clock(),
      }),
  };
  await callMiner(call, surroundings);
  return session;
}
