import { median } from './statistics.ts';
import type { Comparison, Target } from './suite.ts';

/** The measurements of one side. */
export interface SideResult {
  readonly side: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** One a round, in the order of the rounds. */
  readonly measured: readonly number[];
}

/** A target and its measured value. */
export interface TargetResult {
  readonly what: string;
  readonly unit: string;
  /** Computed from the medians of the sides. */
  readonly value: number;
  /** The lowest and the highest value of a single round. */
  readonly min: number;
  readonly max: number;
  readonly atMost: number | null;
  readonly atLeast: number | null;
  readonly held: boolean;
}

export interface ComparisonResult {
  readonly suite: string;
  readonly name: string;
  readonly unit: string;
  readonly sides: readonly SideResult[];
  readonly targets: readonly TargetResult[];
}

type Round = Readonly<Record<string, number>>;

/** Measures every side once per round. The order rotates, so that no side always runs on a warm machine. */
export async function measure(
  suite: string,
  comparison: Comparison,
  usualRounds: number,
): Promise<ComparisonResult> {
  const names = Object.keys(comparison.sides);
  const rounds: Round[] = [];
  for (let round = 0; round < (comparison.rounds ?? usualRounds); round++) {
    const first = round % names.length;
    const measured: Record<string, number> = {};
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      measured[name] = (await comparison.sides[name]?.()) ?? NaN;
    }
    rounds.push(measured);
  }
  const sides = names.map((side) => sideResult(side, rounds));
  const medians = Object.fromEntries(sides.map((side) => [side.side, side.median]));
  const targets = comparison.targets.map((target) => targetResult(target, medians, rounds));
  return { suite, name: comparison.name, unit: comparison.unit, sides, targets };
}

function sideResult(side: string, rounds: readonly Round[]): SideResult {
  const measured = rounds.map((round) => round[side] ?? NaN);
  return {
    side,
    median: median(measured),
    min: Math.min(...measured),
    max: Math.max(...measured),
    measured,
  };
}

function targetResult(target: Target, medians: Round, rounds: readonly Round[]): TargetResult {
  const { what, unit = '', atMost = null, atLeast = null } = target;
  const value = target.value(medians);
  const each = rounds.map(target.value);
  const held =
    Number.isFinite(value) && (atMost === null || value <= atMost) && (atLeast === null || value >= atLeast);
  return { what, unit, value, min: Math.min(...each), max: Math.max(...each), atMost, atLeast, held };
}
