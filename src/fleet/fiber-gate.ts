import { constants, createPublicKey, generateKeyPair, privateDecrypt, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { decryptFernet } from '#pipeline/miners/fiber/fernet';
import { HANDSHAKE_PATHS } from '#pipeline/miners/fiber/handshake';
import {
  bodyHash,
  HEADERS,
  NONCE_WINDOW_SECONDS,
  signedText,
  type FiberDialect,
} from '#pipeline/miners/fiber/signed-request';
import { isHotkey } from '#pipeline/miners/index';
import { isSignedBy } from '#pipeline/miners/hotkey-signature';
import { jsonResponse, type WireRequest, type WireResponse } from './wire.ts';

/** How a simulated miner is asked. */
export interface FiberGateOptions {
  readonly dialect: FiberDialect;
  /** Of the whole fleet: drawing a key takes time. Needed for encryption only. */
  readonly rsaKey: KeyObject;
  readonly now: () => Date;
}

/** What a signed request is without its signature and encryption, or the reply that it gets at once. */
export type FiberGate = (request: WireRequest) => WireRequest | WireResponse;

const KEY_LIFE_MILLIS = 5 * 3_600_000;
const exchangeSchema = z.object({ encrypted_symmetric_key: z.string() });

/** The RSA key of a fleet, drawn anew at each start. */
export async function drawRsaKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })).privateKey;
}

const refuse = (statusCode: number, detail: unknown): WireResponse => jsonResponse(statusCode, { detail });

/** Refuses a nonce that is old, or was used; a nonce is used up by being looked at. */
function nonceChecker(now: () => Date): (nonce: string) => string | null {
  const seen = new Map<string, number>();
  return (nonce) => {
    const seconds = now().getTime() / 1000;
    for (const [other, until] of seen) if (until <= seconds) seen.delete(other);
    const stamp = nonce.split('_')[0] ?? '';
    if (seen.has(nonce) || !/^\d{1,20}$/.test(stamp)) return 'nonce not valid: used before, or malformed';
    seen.set(nonce, seconds + NONCE_WINDOW_SECONDS);
    const isNear = Math.abs(seconds - Number(stamp) / 1e9) <= NONCE_WINDOW_SECONDS;
    return isNear ? null : 'nonce not valid: outside of the window';
  };
}

/** Checks headers, nonce and signature, in the order of the real miners. @returns the rejection, or null */
function callerChecker({ dialect, now }: FiberGateOptions): (request: WireRequest) => WireResponse | null {
  const checkNonce = nonceChecker(now);
  const required = Object.values(HEADERS).filter((name) => dialect === 'encrypted' || name !== HEADERS.uuid);
  return ({ headers, body }) => {
    const missing = required.filter((name) => headers[name] === undefined);
    if (missing.length > 0)
      return refuse(
        422,
        missing.map((name) => ({ type: 'missing', loc: ['header', name] })),
      );
    const of = (name: string): string => String(headers[name]);
    const fault = checkNonce(of(HEADERS.nonce));
    if (fault !== null) return refuse(401, fault);
    const last = dialect === 'encrypted' ? of(HEADERS.uuid) : bodyHash(body);
    const text = signedText({ nonce: of(HEADERS.nonce), minerHotkey: of(HEADERS.miner), last });
    const signature = /^0x([0-9a-f]{128})$/i.exec(of(HEADERS.signature))?.[1] ?? '';
    const validator = of(HEADERS.validator);
    const isSigned = isHotkey(validator) && isSignedBy(validator, text, Buffer.from(signature, 'hex'));
    return isSigned ? null : refuse(401, 'invalid signature');
  };
}

/** The key of an exchange, or null when it cannot be decrypted. */
function openSealed(body: string, rsaKey: KeyObject): Uint8Array | null {
  try {
    const sealed = exchangeSchema.parse(JSON.parse(body)).encrypted_symmetric_key;
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    return privateDecrypt({ key: rsaKey, ...padding }, Buffer.from(sealed, 'base64'));
  } catch {
    return null;
  }
}

const nameOf = ({ headers }: WireRequest): string =>
  `${String(headers[HEADERS.validator])} ${String(headers[HEADERS.uuid])}`;

/** Makes the gate of one miner, which keeps the keys that were agreed on with it. Files need no signature. */
export function createFiberGate(options: FiberGateOptions): FiberGate {
  const { dialect, rsaKey, now } = options;
  const checkCaller = callerChecker(options);
  const keys = new Map<string, { readonly key: Uint8Array; readonly until: number }>();
  const offer = (): WireResponse => {
    const pem = createPublicKey(rsaKey).export({ type: 'spki', format: 'pem' });
    return jsonResponse(200, { public_key: pem, timestamp: now().getTime() / 1000 });
  };
  const exchange = (request: WireRequest): WireResponse => {
    const key = openSealed(request.body, rsaKey);
    if (key === null) return refuse(401, 'cannot decrypt that symmetric key');
    keys.set(nameOf(request), { key, until: now().getTime() + KEY_LIFE_MILLIS });
    return jsonResponse(200, { status: 'Symmetric key exchanged successfully' });
  };
  const decrypt = (request: WireRequest): WireRequest | WireResponse => {
    const known = keys.get(nameOf(request));
    if (known === undefined || known.until < now().getTime())
      return refuse(400, 'No symmetric key found for that hotkey and uuid');
    const body = decryptFernet(known.key, request.body);
    return body === null ? jsonResponse(500, 'Traceback (most recent call last): …') : { ...request, body };
  };
  return (request) => {
    const isEncrypted = dialect === 'encrypted';
    if (isEncrypted && request.method === 'GET' && request.path === HANDSHAKE_PATHS.offer) return offer();
    if (request.method !== 'POST') return request;
    const rejection = checkCaller(request);
    if (rejection !== null) return rejection;
    if (!isEncrypted) return request;
    return request.path === HANDSHAKE_PATHS.exchange ? exchange(request) : decrypt(request);
  };
}
