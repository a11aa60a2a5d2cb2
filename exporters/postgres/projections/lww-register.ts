import type { EpochMicros, StepFact } from '#facts/step-fact';
import type { ClosingReason } from '#semconv';
import { memoize } from '#semconv/memoize';
import { canonicalJson, namesInOrder } from './canonical-json.ts';

/**
 * Logical timestamp of a write, in the order of the law of the tables: event time, then end over start, then attempt,
 * then span id. A total order: two different events never compare equal.
 *
 * A synthetic end ranks between the start (0) and a real end (1) of its step, the preferred reason later, so that the
 * real end wins whenever it arrives.
 */
export type LogicalTimestamp = readonly [at: EpochMicros, phase: number, attempt: number, spanId: string];

const CLOSING_PHASES: Readonly<Record<ClosingReason, number>> = {
  process_crash: 0.75,
  heartbeat_lost: 0.5,
  spool_full: 0.25,
};

/** Last-writer-wins register: a value with the logical timestamp of its write. */
export interface LwwRegister<Value> {
  readonly at: LogicalTimestamp;
  readonly value: Value;
}

/** The members of a fact that make its logical timestamp. */
export type TimedFact = Pick<
  StepFact,
  'phase' | 'startedAt' | 'completedAt' | 'attempt' | 'spanId' | 'closing'
>;

export const startOf = (fact: TimedFact): LogicalTimestamp => [fact.startedAt, 0, fact.attempt, fact.spanId];
export const endOf = (fact: TimedFact): LogicalTimestamp =>
  fact.closing === null
    ? [fact.completedAt ?? fact.startedAt, 1, fact.attempt, fact.spanId]
    : [fact.startedAt, CLOSING_PHASES[fact.closing], fact.attempt, fact.spanId];
/** The timestamp of a fact: the end of an ended span, the start of a running one. Never before its start. */
export const logicalTimestampOf = (fact: TimedFact): LogicalTimestamp =>
  fact.phase === 'ended' ? endOf(fact) : startOf(fact);

export function compareTimestamps(a: LogicalTimestamp, b: LogicalTimestamp): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || (a[3] < b[3] ? -1 : a[3] > b[3] ? 1 : 0);
}

/** Registers by name. `Values` maps each name to the type of its value. */
export type LwwMap<Values> = { readonly [Name in keyof Values]?: LwwRegister<Values[Name]> };

/**
 * A fold is a last-writer-wins map (`newest`) with a first-writer-wins map beside it (`oldest`). Its merge is
 * commutative, associative and idempotent, which is the law of the tables: no order, repetition or split of the events
 * changes the result.
 */
export interface Fold<Newest, Oldest> {
  readonly newest: LwwMap<Newest>;
  readonly oldest: LwwMap<Oldest>;
}

export const emptyFold = { newest: {}, oldest: {} } as const;

type Values<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** A mutable fold: one copy a batch instead of one a fact. */
export interface Draft<Newest, Oldest> {
  readonly newest: { -readonly [Name in keyof Newest]?: LwwRegister<Newest[Name]> };
  readonly oldest: { -readonly [Name in keyof Oldest]?: LwwRegister<Oldest[Name]> };
}

/** Copies a fold into a draft; the fold itself is not changed. */
export const draftOf = <Newest, Oldest>({ newest, oldest }: Fold<Newest, Oldest>): Draft<Newest, Oldest> => ({
  newest: { ...newest },
  oldest: { ...oldest },
});

type Registers = Record<string, LwwRegister<unknown> | undefined>;

/** Last-writer-wins set; ignores undefined and older writes. */
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

/** First-writer-wins set; ignores undefined and newer writes. */
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

/** The fold as JSON text, the names in order, so that equal folds are equal bytes. */
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

/** The family that a register belongs to by its name; the empty text when it belongs to none. */
const familyOf = memoize((name) => name.slice(0, Math.max(0, name.lastIndexOf(':'))));

/** Registers whose name is that of a family and the rest of a name, by family, each in the order of their names. */
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
