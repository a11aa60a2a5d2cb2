import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Lets only those in who know the token; how long the comparison takes tells nothing about it.
 *
 * @param token null lets everybody in
 * @throws Refusal 401
 */
export function requireToken({ authorization = '' }: IncomingHttpHeaders, token: string | null): void {
  if (token === null) return;
  const [, given = ''] = /^bearer +(.+)$/i.exec(authorization.trim()) ?? [];
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new Refusal(401, 'A bearer token is needed: set the header "authorization" to "Bearer <token>".', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}
