import type { Attributes, Span, Tracer } from '@opentelemetry/api';

/** Records the steps of this process, with spans of its own that no global provider knows. */
export interface StepRecorder {
  readonly tracer: Tracer;
  /** Null while the program's SDK cannot have our processor, since nobody took it. */
  readonly shared: SharedSpans | null;
}

/** Spans of the program's SDK that reach the recorder by our processor. */
export interface SharedSpans {
  /** Announces the attributes of the span that is started next. */
  readonly expect: (attributes: Attributes) => void;
  /** Whether that span was given to the recorder, and with all that was announced. */
  readonly hasReceived: (span: Span) => boolean;
}

/** The open recorders of this process; the first records. Mutable, because `step` is called without one. */
const attached: StepRecorder[] = [];

/** Who records the steps called now; null when nobody does, and the spans are made by the registered SDK. */
export const currentRecorder = (): StepRecorder | null => attached[0] ?? null;

/** Lets a recorder record every step from now on, unless another one does. @returns what ends that */
export function attachRecorder(recorder: StepRecorder): () => void {
  attached.push(recorder);
  return () => {
    const index = attached.indexOf(recorder);
    if (index !== -1) attached.splice(index, 1);
  };
}
