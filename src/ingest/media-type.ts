import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.ts';

/** The encodings of OTLP, by the content type that names them. */
const ENCODINGS = { 'application/x-protobuf': 'protobuf', 'application/json': 'json' } as const;
export type Encoding = (typeof ENCODINGS)[keyof typeof ENCODINGS];
const MEDIA_TYPES = Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[];

/** The encoding that a content type names, whatever its parameters; null when it names none. */
export function encodingOf(contentType: string | undefined): Encoding | null {
  const [name = ''] = (contentType ?? '').split(';');
  const known = MEDIA_TYPES.find((type) => type === name.trim().toLowerCase());
  return known === undefined ? null : ENCODINGS[known];
}

/** The content type of an encoding. */
export const mediaTypeOf = (encoding: Encoding): string =>
  encoding === 'json' ? 'application/json' : 'application/x-protobuf';

/** @throws Refusal 415 for a body that is neither */
export function requireEncoding({ 'content-type': contentType }: IncomingHttpHeaders): Encoding {
  const encoding = encodingOf(contentType);
  if (encoding !== null) return encoding;
  throw new Refusal(
    415,
    `The content type is ${contentType === undefined ? 'absent' : JSON.stringify(contentType.slice(0, 80))}; ` +
      `allowed: ${MEDIA_TYPES.join(', ')}.`,
  );
}
