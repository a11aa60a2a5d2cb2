/** One event of a span. */
export interface ObservedEvent {
  readonly name: string;
  readonly timeUnixNano: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/**
 * A span as plain data, independent of its source: the SDK of this process or OTLP. Each span is observed twice, when
 * it starts and when it has ended.
 */
export interface ObservedSpan {
  readonly phase: 'started' | 'ended';
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startTimeUnixNano: bigint;
  /** Null while the span is running. */
  readonly endTimeUnixNano: bigint | null;
  readonly statusCode: 'unset' | 'ok' | 'error';
  readonly statusMessage: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly ObservedEvent[];
  readonly resource: Readonly<Record<string, unknown>>;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  /** The sampled flag: whether the trace was to be sent somewhere. Absent where its source does not say. */
  readonly traceSampled?: boolean | undefined;
}
