import type { Comparison, Scale, Suite } from '../harness/suite.ts';
import type { Question } from './steps/program.ts';
import { openSideProcesses, type SideProcesses } from './steps/side-process.ts';

/** Sizes of the measurements. */
interface Amounts {
  readonly calls: number;
  /** Warm-up calls, so that the JIT does not compile during the measurement. */
  readonly warmUp: number;
  readonly records: number;
  readonly backlog: number;
}

const AMOUNTS: Readonly<Record<Scale, Amounts>> = {
  quick: { calls: 1280, warmUp: 128, records: 5000, backlog: 2000 },
  full: { calls: 64_000, warmUp: 64_000, records: 200_000, backlog: 200_000 },
};
const IN_FLIGHT = 64;

/**
 * The cost of a step: its span, its two records on disk and their books, compared with the same span written by hand.
 *
 * Sides that depend on process-wide state (asynchronous context, the registered SDK) have a process each; the disabled step
 * and the bare function that it is compared with alternate in one, because two processes differ by more than the effect.
 * `recorded` has a database that is down, so it writes and reads nothing back; `delivered` has one that accepts everything
 * at once, and its time ends when every record was read from disk and committed.
 */
export async function openSteps(scale: Scale): Promise<Suite> {
  const amounts = AMOUNTS[scale];
  const processes = await openSideProcesses();
  const bench = new StepsBench(processes, amounts);
  return {
    comparisons: [
      bench.calls(IN_FLIGHT, 2),
      bench.calls(1, 4),
      bench.slowCalls(),
      bench.disabled(),
      bench.records(),
      bench.backlog(),
    ],
    close: processes.close,
  };
}

class StepsBench {
  readonly #processes: SideProcesses;
  readonly #amounts: Amounts;
  readonly #warm = new Set<string>();

  constructor(processes: SideProcesses, amounts: Amounts) {
    this.#processes = processes;
    this.#amounts = amounts;
  }

  calls(inFlight: number, atMost: number): Comparison {
    const { calls } = this.#amounts;
    const side = (name: string, isFlushed = false) =>
      this.#side(name, { kind: 'call', calls, inFlight, isFlushed });
    const added = (name: string, by: Readonly<Record<string, number>>): number =>
      (by[name] ?? NaN) - (by['bare'] ?? NaN);
    return {
      name: inFlight === 1 ? 'a step, one at a time' : `a step, ${inFlight} in flight`,
      unit: 'ns per call',
      sides: {
        recorded: side('recorded'),
        'by hand': side('by hand'),
        bare: side('bare'),
        delivered: side('delivered', true),
      },
      targets: [
        {
          what: 'added time, times that of a span by hand',
          value: (by) => added('recorded', by) / added('by hand', by),
          atMost,
          unit: '×',
        },
        { what: 'added time', value: (by) => added('recorded', by), unit: 'ns' },
        { what: 'added time of a span by hand', value: (by) => added('by hand', by), unit: 'ns' },
      ],
    };
  }

  slowCalls(): Comparison {
    const { calls } = this.#amounts;
    const side = (name: string) => this.#side(name, { kind: 'slow_call', calls });
    return {
      name: 'a single call, the slowest of a hundred',
      unit: 'ns',
      sides: { recorded: side('recorded'), 'by hand': side('by hand'), bare: side('bare') },
      targets: [
        {
          what: 'p99 of a recorded call',
          value: (by) => (by['recorded'] ?? NaN) / 1000,
          atMost: 100,
          unit: 'µs',
        },
      ],
    };
  }

  disabled(): Comparison {
    const plan = { calls: this.#amounts.calls, inFlight: IN_FLIGHT };
    return {
      name: 'OTEL_SDK_DISABLED=true',
      unit: 'ns per call',
      sides: {
        'disabled step': this.#side('disabled', { kind: 'disabled_step', ...plan }),
        'bare function': this.#side('disabled', { kind: 'bare_function', ...plan }),
      },
      targets: [
        {
          what: 'added time',
          value: (by) => (by['disabled step'] ?? NaN) - (by['bare function'] ?? NaN),
          atMost: 100,
          unit: 'ns',
        },
      ],
    };
  }

  records(): Comparison {
    const { records } = this.#amounts;
    const side = (kind: 'encode' | 'decode' | 'encode_json' | 'decode_json') =>
      this.#side('records', { kind, records });
    return {
      name: 'a record of the spool',
      unit: 'ns per record',
      sides: {
        encoded: side('encode'),
        'encoded as JSON': side('encode_json'),
        decoded: side('decode'),
        'decoded from JSON': side('decode_json'),
      },
      targets: [],
    };
  }

  backlog(): Comparison {
    const { backlog } = this.#amounts;
    return {
      name: `a backlog of ${backlog.toLocaleString('en')} records, read and settled`,
      unit: 'records/s',
      sides: { 'from disk': () => this.#processes.ask('backlog', { kind: 'backlog', records: backlog }) },
      targets: [],
    };
  }

  /** A side with one smaller warm-up measurement before the first round. */
  #side(side: string, question: Question): () => Promise<number> {
    return async () => {
      const key = `${side} ${JSON.stringify(question)}`;
      if (!this.#warm.has(key)) {
        this.#warm.add(key);
        const { warmUp } = this.#amounts;
        await this.#processes.ask(side, lessOf(question, warmUp));
      }
      return this.#processes.ask(side, question);
    };
  }
}

/** The same question for fewer calls or records. */
function lessOf(question: Question, amount: number): Question {
  if ('calls' in question) return { ...question, calls: amount };
  return 'records' in question ? { ...question, records: amount } : question;
}
