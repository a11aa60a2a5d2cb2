import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** Claims of a token: the forecast that it grants access to, and its expiry. */
const claimsSchema = z.object({
  job_id: z.string(),
  /** Name of the store's directory; the token grants access to every file below it. */
  file_path: z.string().min(1),
  /** Seconds since 1970. */
  exp: z.number(),
});
export type TokenClaims = z.output<typeof claimsSchema>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = encode({ alg: 'HS256', typ: 'JWT' });

const macOf = (secret: Uint8Array, text: string): Buffer =>
  createHmac('sha256', secret).update(text).digest();

/** A JSON Web Token signed with HMAC-SHA-256. */
export function issueToken(claims: TokenClaims, secret: Uint8Array): string {
  const text = `${HEADER}.${encode(claims)}`;
  return `${text}.${macOf(secret, text).toString('base64url')}`;
}

function parseClaims(payload: string): TokenClaims | null {
  try {
    return claimsSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString())).data ?? null;
  } catch {
    return null;
  }
}

/** Claims of a valid, unexpired token, or null. Only our own header is accepted: no other algorithm can be named. */
export function readToken(token: string, secret: Uint8Array, now: Date): TokenClaims | null {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0) return null;
  const given = Buffer.from(signature, 'base64url');
  const expected = macOf(secret, `${header}.${payload}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const claims = parseClaims(payload);
  return claims !== null && claims.exp * 1000 > now.getTime() ? claims : null;
}
