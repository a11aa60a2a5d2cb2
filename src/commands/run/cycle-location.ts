import { CategorizedError } from '#semconv';

/** Placeholders of a location, each with the part of T0 (ISO 8601, UTC) that replaces it. */
const PLACEHOLDERS: Readonly<Record<string, (iso: string) => string>> = {
  YYYYMMDD: (iso) => iso.slice(0, 10).replaceAll('-', ''),
  YYYY: (iso) => iso.slice(0, 4),
  MM: (iso) => iso.slice(5, 7),
  DD: (iso) => iso.slice(8, 10),
  HH: (iso) => iso.slice(11, 13),
};
const PLACEHOLDER = /\{([^{}]*)\}/g;

/**
 * Whether each cycle has a location of its own.
 *
 * @param option what names the location, for the error
 * @throws CategorizedError for a placeholder that is not known
 */
export function isPerCycle(option: string, location: string): boolean {
  const names = [...location.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  const unknown = names.find((name) => !Object.hasOwn(PLACEHOLDERS, name));
  if (unknown === undefined) return names.length > 0;
  const allowed = Object.keys(PLACEHOLDERS).map((name) => `{${name}}`);
  throw new CategorizedError(
    'validator_internal',
    `${option} names the placeholder {${unknown}}; allowed: ${allowed.join(', ')}, each a part of T0 in UTC.`,
  );
}

/** Replaces the placeholders of a location by the parts of T0, UTC. */
export const locationOfCycle = (location: string, initTime: Date): string =>
  location.replace(
    PLACEHOLDER,
    (whole, name: string) => PLACEHOLDERS[name]?.(initTime.toISOString()) ?? whole,
  );
