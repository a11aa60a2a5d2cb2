import type { ExportReport, SpanSink } from '#exporters/export-report';
import type { ObservedSpan } from '#facts/observed-span';

/** A sink with scripted outcomes, which stores the written spans and records whether exports overlapped. */
export class RecordingSink implements SpanSink {
  /** Outcomes of the next exports; `written` when there is none. An error is thrown. `hang` never resolves. */
  readonly answers: (ExportReport['kind'] | 'hang' | Error)[] = [];
  readonly attempts: string[][] = [];
  readonly written: ObservedSpan[] = [];
  readonly signals: AbortSignal[] = [];
  mostAtOnce = 0;
  #atOnce = 0;

  async export(
    spans: readonly ObservedSpan[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ExportReport> {
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    this.attempts.push(spans.map(({ name, phase }) => `${name} ${phase}`));
    if (signal !== undefined) this.signals.push(signal);
    const answer = this.answers.shift() ?? 'written';
    if (answer === 'hang') await untilAborted(signal);
    await Promise.resolve();
    this.#atOnce -= 1;
    if (answer instanceof Error) throw answer;
    if (answer === 'hang') return { kind: 'retryable', error: new Error('aborted') };
    if (answer !== 'written') return { kind: answer, error: new Error(answer) };
    this.written.push(...spans);
    return { kind: 'written' };
  }

  /** Names and phases of all written spans. */
  get names(): string[] {
    return this.written.map(({ name, phase }) => `${name} ${phase}`);
  }
}

function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener('abort', () => resolve());
  });
}
