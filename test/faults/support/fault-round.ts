import type { Random } from '#world';
import { REMAINS_FAULTS, type RemainsFault } from './damage-spool.ts';

/** What happens to a process while it records. */
const LIFE_FAULTS = [
  'database away',
  'frozen',
  'clock steps',
  'disk full',
  'disk free again',
  'folder deleted',
  'folder renamed',
  'taken for dead',
] as const;
export type LifeFault = (typeof LIFE_FAULTS)[number];

/** Faults by which a process loses its folder. */
export const LOSSES: ReadonlySet<LifeFault> = new Set(['folder deleted', 'folder renamed', 'taken for dead']);

/** A round: one process, what befalls it, and what becomes of its files before somebody adopts them. */
export interface RoundPlan {
  readonly durability: 'system' | 'disk';
  /** Whether the process records in a pid namespace of its own. */
  readonly isForeign: boolean;
  /** How far its wall clock is off, ms. */
  readonly clockMillis: number;
  /** How long it records, ms. */
  readonly lifeMillis: number;
  /** In the order in which they come, each at a share of the life. */
  readonly inLife: readonly { readonly at: number; readonly fault: LifeFault }[];
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly onRemains: readonly RemainsFault[];
  /** The format of an old spool that lies beside; null for none. */
  readonly oldFormat: number | null;
  /** How far the clock of a second process on the same directory is off, ms; null when there is none. */
  readonly witnessClockMillis: number | null;
}

const HOUR = 3_600_000;
/** Within this time a process on a quiet machine has noticed the loss of its folder, and has claimed another. */
const NOTICE_MILLIS = 2500;
/** What takes the knowledge away which record was the last one. */
const BLINDING: ReadonlySet<RemainsFault> = new Set([
  ...(['bits of the tail flipped', 'tail deleted', 'another boot', 'folder of the dead deleted'] as const),
]);

/** Draws a round. About one in six suffers nothing but its end. */
export function drawRound(
  random: Random,
  { canMount, canUnshare, formats }: { canMount: boolean; canUnshare: boolean; formats: readonly number[] },
): RoundPlan {
  const below = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const chance = (share: number): boolean => random() < share;
  const clock = (): number => (chance(0.4) ? oneOf([-2 * HOUR, 3 * HOUR, -121_000, 121_000, 500]) : 0);
  const possible = LIFE_FAULTS.filter((fault) => canMount || !fault.startsWith('disk'));
  const inLife = Array.from({ length: below(4) }, () => ({ at: random(), fault: oneOf(possible) }));
  const losesFolder = inLife.some(({ fault }) => LOSSES.has(fault));
  const isForeign = canUnshare && chance(0.15);
  return {
    durability: oneOf(['system', 'disk']),
    isForeign,
    clockMillis: clock(),
    lifeMillis: 100 + below(700) + (losesFolder && chance(0.5) ? NOTICE_MILLIS : 0),
    inLife: inLife.toSorted((one, other) => one.at - other.at),
    // The end of a namespace is a kill of all that is in it.
    signal: isForeign || chance(0.75) ? 'SIGKILL' : 'SIGTERM',
    onRemains: Array.from({ length: oneOf([0, 0, 1, 1, 2]) }, () => oneOf(REMAINS_FAULTS)),
    oldFormat: chance(0.15) ? oneOf(formats) : null,
    witnessClockMillis: chance(0.2) ? clock() : null,
  };
}

/** How much a round may lose, and how the loss is told. */
export type Allowance =
  /** Nothing is lost, and the books are closed over it. */
  | 'nothing'
  /** What is lost is counted: as dropped, with a reason, or as missing, by number. */
  | 'counted'
  /** Nobody can know how much is lost: the books stay open over it. */
  | 'open'
  /** Killed after others had taken over its folder and closed the books, before it noticed. */
  | 'unnoticed';

/**
 * What docs/reliability.md promises for the round.
 *
 * @param hasNoticed whether the process told of each loss of its folder before its end: what it wrote after one that it did
 *   not notice is gone when it is killed
 */
export function allowanceOf({ inLife, onRemains, signal }: RoundPlan, hasNoticed: boolean): Allowance {
  const isSurprised = signal === 'SIGKILL' && !hasNoticed;
  const befell = (fault: LifeFault): boolean => inLife.some((one) => one.fault === fault);
  // Without books the records tell whose they are, and without records the books.
  const isNameless =
    onRemains.some((fault) => fault.includes('books')) &&
    onRemains.some((fault) => fault.includes('segment'));
  if (isSurprised && befell('taken for dead')) return 'unnoticed';
  // A folder that is renamed before its first file was opened cannot take any: its records are held in memory.
  const isDeleted = isSurprised && (befell('folder deleted') || befell('folder renamed'));
  if (isDeleted || isNameless || isUnheard(inLife) || onRemains.some((fault) => BLINDING.has(fault)))
    return 'open';
  return onRemains.length > 0 || befell('disk full') || befell('folder deleted') ? 'counted' : 'nothing';
}

/** Whether nothing can hold the last books: the folder was lost, no other fits on the disk, and the database is away. */
function isUnheard(inLife: RoundPlan['inLife']): boolean {
  const faults = inLife.map(({ fault }) => fault);
  const isFull = faults.lastIndexOf('disk full') > faults.lastIndexOf('disk free again');
  const isAway = faults.filter((fault) => fault === 'database away').length % 2 === 1;
  return isFull && isAway && faults.some((fault) => LOSSES.has(fault));
}

/** Whether another process may close the steps of this one while it writes on: both then give the same numbers. */
export const mayOvertake = ({ inLife, witnessClockMillis }: RoundPlan): boolean =>
  witnessClockMillis !== null && inLife.some(({ fault }) => fault === 'taken for dead');

/** The round in words, for the name of its test. */
export function describeRound(plan: RoundPlan): string {
  const parts = [
    ...plan.inLife.map(({ fault }) => fault),
    plan.signal,
    ...plan.onRemains,
    ...(plan.isForeign ? ['in a pid namespace'] : []),
    ...(plan.clockMillis === 0 ? [] : [`clock ${plan.clockMillis / 1000} s`]),
    ...(plan.oldFormat === null ? [] : [`beside a spool of format ${plan.oldFormat}`]),
    ...(plan.witnessClockMillis === null ? [] : ['with a witness']),
  ];
  return parts.join(', ');
}
