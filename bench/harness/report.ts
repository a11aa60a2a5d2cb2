import { textTable } from '#reports/text-table';
import type { Machine } from './machine.ts';
import type { ComparisonResult, SideResult, TargetResult } from './measure.ts';

/** A number with three significant digits. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The results of a comparison: one line per side, and one per target. */
export function comparisonText({ name, unit, sides, targets }: ComparisonResult): string {
  const measured = textTable<SideResult>(
    [
      { heading: unit, value: ({ side }) => side },
      { heading: 'median', value: ({ median }) => short(median), isNumber: true },
      { heading: 'lowest', value: ({ min }) => short(min), isNumber: true },
      { heading: 'highest', value: ({ max }) => short(max), isNumber: true },
      { heading: 'each round', value: ({ measured: all }) => all.map(short).join('  ') },
    ],
    sides,
  );
  return [name, indent(measured), ...(targets.length === 0 ? [] : [indent(targetTable(targets))])].join('\n');
}

/** The targets of all benchmarks in one table. */
export const summaryText = (results: readonly ComparisonResult[]): string =>
  targetTable(results.flatMap(({ name, targets }) => targets.map((target) => ({ ...target, name }))));

export const machineText = ({ cpu, cores, memory_gib, system, node }: Machine): string =>
  `${cpu}, ${cores} cores, ${memory_gib} GiB, ${system}, Node ${node}`;

function targetTable(targets: readonly (TargetResult & { readonly name?: string })[]): string {
  const isNamed = targets.some(({ name }) => name !== undefined);
  return textTable<TargetResult & { readonly name?: string }>(
    [
      ...(isNamed
        ? [{ heading: 'benchmark', value: ({ name }: { readonly name?: string }) => name ?? '' }]
        : []),
      { heading: 'what', value: ({ what }) => what },
      { heading: 'is', value: ({ value, unit }) => `${short(value)}${unitText(unit)}`, isNumber: true },
      { heading: 'rounds gave', value: ({ min, max }) => `${short(min)}–${short(max)}`, isNumber: true },
      { heading: 'target', value: boundText, isNumber: true },
      { heading: 'held', value: heldText },
    ],
    targets,
  );
}

function boundText({ atMost, atLeast, unit }: TargetResult): string {
  if (atMost !== null) return `≤ ${atMost}${unitText(unit)}`;
  return atLeast === null ? '–' : `≥ ${atLeast}${unitText(unit)}`;
}

/** A target that could not be measured is neither held nor missed; a value without a bound is only reported. */
function heldText({ held, value, atMost, atLeast }: TargetResult): string {
  if (!Number.isFinite(value)) return 'not measured';
  if (atMost === null && atLeast === null) return '–';
  return held ? 'yes' : 'NO';
}

const unitText = (unit: string): string => (unit === '' ? '' : unit === '×' ? unit : ` ${unit}`);
const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
