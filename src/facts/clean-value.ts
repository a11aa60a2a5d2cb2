/** Why a value was adjusted. Each reason is counted in the step's row and in the metrics. */
const ADJUSTMENT_REASONS = [
  'not_finite',
  'negative_zero',
  'big_integer',
  'date',
  'object',
  'lone_surrogate',
  'nul_byte',
  'text_too_long',
  'too_deep',
  'invalid_json',
  'unknown_attribute',
  'negative_duration',
  'number_text',
  'flag_text',
  'instant_form',
  'instant_without_offset',
] as const;
export type AdjustmentReason = (typeof ADJUSTMENT_REASONS)[number];

/** Counts the adjusted values of one span. */
export class Adjustments {
  /** Allocated on first use, since most spans need none. */
  #counts: Map<AdjustmentReason, number> | null = null;

  add(reason: AdjustmentReason): void {
    this.#counts ??= new Map();
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** The counts by reason, in the order of the closed set, so that equal counts serialize equally. */
  toRecord(): Readonly<Record<string, number>> {
    const counts = this.#counts;
    if (counts === null) return {};
    const entries = ADJUSTMENT_REASONS.map((reason) => [reason, counts.get(reason) ?? 0] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0));
  }
}

/** Longest stored text of one attribute, UTF-16 units. */
export const MAX_TEXT_LENGTH = 8192;
/** Longest stored JSON text, UTF-16 units. A cut would break the JSON, so the limit is above what a step writes. */
export const MAX_JSON_LENGTH = 65_536;
const MAX_DEPTH = 16;
const CUT_MARK = '…';

/**
 * Text that PostgreSQL can hold: NUL bytes and lone surrogates become U+FFFD, and what is longer than `maxLength` is
 * cut and ends in an ellipsis.
 */
export function cleanText(text: string, adjustments: Adjustments, maxLength = MAX_TEXT_LENGTH): string {
  let clean = text;
  if (clean.includes('\0')) {
    adjustments.add('nul_byte');
    clean = clean.replaceAll('\0', '\uFFFD');
  }
  if (!clean.isWellFormed()) {
    adjustments.add('lone_surrogate');
    clean = clean.toWellFormed();
  }
  if (clean.length <= maxLength) return clean;
  adjustments.add('text_too_long');
  // A cut inside a surrogate pair would leave a lone surrogate.
  return (
    clean
      .slice(0, maxLength - 1)
      .toWellFormed()
      .replace(/\uFFFD$/, '') + CUT_MARK
  );
}

/** A finite number without a sign on zero; NaN and infinities become null. */
export function cleanNumber(value: number, adjustments: Adjustments): number | null {
  if (!Number.isFinite(value)) {
    adjustments.add('not_finite');
    return null;
  }
  if (Object.is(value, -0)) {
    adjustments.add('negative_zero');
    return 0;
  }
  return value;
}

function cleanBigInt(value: bigint, adjustments: Adjustments): number | string {
  adjustments.add('big_integer');
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value.toString();
}

function cleanDate(value: Date, adjustments: Adjustments): string | null {
  adjustments.add(Number.isNaN(value.getTime()) ? 'not_finite' : 'date');
  return Number.isNaN(value.getTime()) ? null : value.toISOString();
}

function cleanMembers(value: object, adjustments: Adjustments, depth: number): unknown {
  if (depth >= MAX_DEPTH) {
    adjustments.add('too_deep');
    return null;
  }
  // Not `map`, which would keep the holes of a sparse array.
  if (Array.isArray(value)) return Array.from(value, (member) => cleanJson(member, adjustments, depth + 1));
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(
      ([key, member]) => [cleanText(key, adjustments), cleanJson(member, adjustments, depth + 1)] as const,
    );
  return Object.fromEntries(entries);
}

/** Converts any value to one that JSON and PostgreSQL can hold. Functions and symbols become null. */
export function cleanJson(value: unknown, adjustments: Adjustments, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return cleanText(value, adjustments);
    case 'number':
      return cleanNumber(value, adjustments);
    case 'bigint':
      return cleanBigInt(value, adjustments);
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (value instanceof Date) return cleanDate(value, adjustments);
      return cleanMembers(value, adjustments, depth);
    default:
      return null;
  }
}

/**
 * Converts an attribute value to a text, number or flag, the only types of the vocabulary: an object becomes JSON text.
 */
export function cleanAttribute(
  value: unknown,
  adjustments: Adjustments,
  maxLength = MAX_TEXT_LENGTH,
): string | number | boolean | null {
  if (typeof value === 'string') return cleanText(value, adjustments, maxLength);
  const clean = cleanJson(value, adjustments);
  if (clean === null || typeof clean !== 'object') return clean as string | number | boolean | null;
  adjustments.add('object');
  return cleanText(JSON.stringify(clean), adjustments, maxLength);
}
