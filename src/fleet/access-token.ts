import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** The claims of a token: whose forecast it opens, and until when. */
const claimsSchema = z.object({
  job_id: z.string(),
  /** Name of the store's directory; the token opens what lies below it. */
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

/** The claims of a token that is ours and not expired; null otherwise. Only our own header is accepted. */
export function readToken(token: string, secret: Uint8Array, now: Date): TokenClaims | null {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0) return null;
  const given = Buffer.from(signature, 'base64url');
  const due = macOf(secret, `${header}.${payload}`);
  if (given.length !== due.length || !timingSafeEqual(given, due)) return null;
  const claims = parseClaims(payload);
  return claims !== null && claims.exp * 1000 > now.getTime() ? claims : null;
}
