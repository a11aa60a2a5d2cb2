import type { EndedSpan } from '#steps';

/**
 * How the word of a step outlives its process. A step commits, then its span ends; a process that dies in between has
 * done what nobody is told of. So what the span will say is kept with the job, in the commit, and told by whoever is
 * handed the job again. A job that was closed takes it along: then the span had ended.
 */
export interface SpanEndCodec {
  readonly encode: (span: EndedSpan) => string;
  /** Records an encoded end, once more if need be. Rejects when it is not safe: the job is then handed out again. */
  readonly record: (encoded: string) => Promise<void>;
}
