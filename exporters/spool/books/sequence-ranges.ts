import type { SequenceRanges } from '#exporters/emitter-report';

/** Run-length encodes ascending numbers as closed ranges. */
export function toRanges(sequences: Iterable<number>): SequenceRanges {
  const ranges: [number, number][] = [];
  for (const sequence of sequences) {
    const last = ranges.at(-1);
    if (last !== undefined && sequence === last[1] + 1) last[1] = sequence;
    else ranges.push([sequence, sequence]);
  }
  return ranges;
}

/** The ranges with a larger number appended. */
export function withSequence(ranges: SequenceRanges, sequence: number): SequenceRanges {
  const last = ranges.at(-1);
  if (last?.[1] === sequence - 1) return [...ranges.slice(0, -1), [last[0], sequence]];
  return [...ranges, [sequence, sequence]];
}

/** The part of the ranges that is greater than a number. */
export const rangesAfter = (ranges: SequenceRanges, sequence: number): SequenceRanges =>
  ranges.filter(([, to]) => to > sequence).map(([from, to]) => [Math.max(from, sequence + 1), to] as const);
