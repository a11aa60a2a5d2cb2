import type { EpochMicros, StepFact } from '#facts/step-fact';
import type { ClosingReason } from '#semconv';
import { memoize } from '#semconv/memoize';
import { canonicalJson, namesInOrder } from './canonical-json.ts';

/**
 * Logical timestamp of a write, a total order: event time, then end over start, then attempt, then span id. Two
 * different events never compare equal.
 *
 * A closing (synthetic end) is placed right behind the start of its step, with a phase between start (0) and end (1)
 * that grows with the precedence of its reason. So a real end that arrives later is always newer. The end of a superseded
 * step stands there too, above the closings: it changed nothing, so what the other worker recorded has to win.
 */
export type LogicalTimestamp = readonly [at: EpochMicros, phase: number, attempt: number, spanId: string];

const CLOSING_PHASES: Readonly<Record<ClosingReason, number>> = {
  process_crash: 0.75,
  heartbeat_lost: 0.5,
  spool_full: 0.25,
};
const SUPERSEDED_PHASE = 0.9;

/** Last-writer-wins register: a value with the logical timestamp of its write. */
export interface LwwRegister<Value> {
  readonly at: LogicalTimestamp;
  readonly value: Value;
}

/** The members of a fact that give its logical timestamp. */
export type TimedFact = Pick<
  StepFact,
  'phase' | 'startedAt' | 'completedAt' | 'attempt' | 'spanId' | 'closing'
> & { readonly state: Pick<StepFact['state'], 'superseded'> };

export const startOf = (fact: TimedFact): LogicalTimestamp => [fact.startedAt, 0, fact.attempt, fact.spanId];
export function endOf({
  startedAt,
  completedAt,
  attempt,
  spanId,
  closing,
  state,
}: TimedFact): LogicalTimestamp {
  if (closing !== null) return [startedAt, CLOSING_PHASES[closing], attempt, spanId];
  if (state.superseded === true) return [startedAt, SUPERSEDED_PHASE, attempt, spanId];
  return [completedAt ?? startedAt, 1, attempt, spanId];
}
/** The logical timestamp of a fact: the end of an ended span, the start of a running one. Never before its start. */
export const logicalTimestampOf = (fact: TimedFact): LogicalTimestamp =>
  fact.phase === 'ended' ? endOf(fact) : startOf(fact);

export function compareTimestamps(a: LogicalTimestamp, b: LogicalTimestamp): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || (a[3] < b[3] ? -1 : a[3] > b[3] ? 1 : 0);
}

/** Registers by name. `Values` maps each name to the type of its value. */
export type LwwMap<Values> = { readonly [Name in keyof Values]?: LwwRegister<Values[Name]> };

/**
 * State from which a projected row is derived: a last-writer-wins map, with a first-writer-wins map beside it. Merging
 * is commutative, associative and idempotent (a state-based CRDT), so that order, repetition and batch split of the
 * events cannot change the result.
 */
export interface Fold<Newest, Oldest> {
  readonly newest: LwwMap<Newest>;
  readonly oldest: LwwMap<Oldest>;
}

export const emptyFold = { newest: {}, oldest: {} } as const;

type Values<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** Mutable draft of a fold. */
export interface Draft<Newest, Oldest> {
  readonly newest: { -readonly [Name in keyof Newest]?: LwwRegister<Newest[Name]> };
  readonly oldest: { -readonly [Name in keyof Oldest]?: LwwRegister<Oldest[Name]> };
}

/** Mutable copy; the fold itself stays unchanged. */
export const draftOf = <Newest, Oldest>({ newest, oldest }: Fold<Newest, Oldest>): Draft<Newest, Oldest> => ({
  newest: { ...newest },
  oldest: { ...oldest },
});

type Registers = Record<string, LwwRegister<unknown> | undefined>;

/** Last-writer-wins set; ignores undefined values and older writes. */
export function setLww<Newest>(
  { newest }: Pick<Draft<Newest, unknown>, 'newest'>,
  at: LogicalTimestamp,
  values: Values<Newest>,
): void {
  const known = newest as Registers;
  for (const name in values) {
    const value: unknown = values[name];
    const before = known[name];
    if (value !== undefined && (before === undefined || compareTimestamps(at, before.at) > 0))
      known[name] = { at, value };
  }
}

/** First-writer-wins set; ignores undefined values and newer writes. */
export function setFirst<Oldest>(
  { oldest }: Pick<Draft<unknown, Oldest>, 'oldest'>,
  at: LogicalTimestamp,
  values: Values<Oldest>,
): void {
  const known = oldest as Registers;
  for (const name in values) {
    const value: unknown = values[name];
    const before = known[name];
    if (value !== undefined && (before === undefined || compareTimestamps(at, before.at) < 0))
      known[name] = { at, value };
  }
}

/** Canonical JSON of a fold: names sorted, so that equal folds are equal bytes. */
export const foldText = ({ newest, oldest }: { readonly newest: object; readonly oldest: object }): string =>
  `{"newest":${registersText(newest)},"oldest":${registersText(oldest)}}`;

function registersText(map: object): string {
  const registers = map as Registers;
  let text = '';
  for (const name of namesInOrder(registers)) {
    const register = registers[name];
    if (register !== undefined) text += `${text === '' ? '' : ','}${registerText(name, register)}`;
  }
  return `{${text}}`;
}

function registerText(
  name: string,
  { at: [at, phase, attempt, spanId], value }: LwwRegister<unknown>,
): string {
  const timestamp = `[${at},${phase},${attempt},${JSON.stringify(spanId)}]`;
  return `${JSON.stringify(name)}:{"at":${timestamp},"value":${canonicalJson(value)}}`;
}

/** The newest of some registers; null when there is none. */
export function newestOf<Value>(
  registers: readonly (LwwRegister<Value> | undefined)[],
): LwwRegister<Value> | null {
  let newest: LwwRegister<Value> | null = null;
  for (const register of registers) {
    if (register !== undefined && (newest === null || compareTimestamps(register.at, newest.at) > 0))
      newest = register;
  }
  return newest;
}

/** The family in the name of a register, the part before its last colon; empty when there is none. */
const familyOf = memoize((name) => name.slice(0, Math.max(0, name.lastIndexOf(':'))));

/** Groups registers named `family:rest` by family, each group sorted by name. */
export function byFamily(map: object): Readonly<Record<string, readonly LwwRegister<unknown>[] | undefined>> {
  const registers = map as Registers;
  const families: Record<string, LwwRegister<unknown>[] | undefined> = {};
  for (const name of namesInOrder(registers)) {
    const family = familyOf(name);
    const register = registers[name];
    if (family !== '' && register !== undefined) (families[family] ??= []).push(register);
  }
  return families;
}
