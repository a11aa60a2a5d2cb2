/** What senders depend on of a vocabulary: for each attribute its type, what is allowed, and whether it must be there. */
export interface Vocabulary {
  readonly version: string;
  readonly attributes: Readonly<Record<string, AttributeRule>>;
}

export interface AttributeRule {
  /** A type, or the values of a closed set. */
  readonly type: string | readonly string[];
  readonly unit: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly isRequired: boolean;
}

const ORDER = ['none', 'minor', 'major'] as const;
export type Bump = (typeof ORDER)[number];

/** The step of the version that a change of the vocabulary needs. Texts are not compared: they are patches. */
export function neededBump(before: Vocabulary, after: Vocabulary): Bump {
  const names = new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)]);
  const bumps = [...names].map((name) => bumpOf(before.attributes[name], after.attributes[name]));
  return ORDER[Math.max(0, ...bumps.map((bump) => ORDER.indexOf(bump)))] ?? 'none';
}

function bumpOf(before: AttributeRule | undefined, after: AttributeRule | undefined): Bump {
  if (after === undefined) return 'major';
  if (before === undefined) return after.isRequired ? 'major' : 'minor';
  if (JSON.stringify(before) === JSON.stringify(after)) return 'none';
  const isNarrower =
    before.unit !== after.unit ||
    (after.isRequired && !before.isRequired) ||
    (after.minimum ?? -Infinity) > (before.minimum ?? -Infinity) ||
    (after.maximum ?? Infinity) < (before.maximum ?? Infinity) ||
    !holdsType(after.type, before.type);
  return isNarrower ? 'major' : 'minor';
}

function holdsType(wide: AttributeRule['type'], narrow: AttributeRule['type']): boolean {
  if (typeof wide === 'string') return wide === narrow || (wide === 'string' && typeof narrow !== 'string');
  return typeof narrow !== 'string' && narrow.every((value) => wide.includes(value));
}

/** The step from one version to another, as semver counts it. */
export function bumpBetween(before: string, after: string): Bump {
  const [major = 0, minor = 0] = before.split('.').map(Number);
  const [newMajor = 0, newMinor = 0] = after.split('.').map(Number);
  if (newMajor !== major) return 'major';
  return newMinor === minor ? 'none' : 'minor';
}

export const isEnough = (made: Bump, needed: Bump): boolean => ORDER.indexOf(made) >= ORDER.indexOf(needed);
