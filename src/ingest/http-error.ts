/** A rejected request as an HTTP status. The message goes to the sender. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A body, or one item of it, that does not match its content type; sending it again cannot help. */
export class MalformedError extends HttpError {
  readonly fault: string;

  constructor(fault: string) {
    super(400, `The body is malformed: ${fault}.`);
    this.fault = fault;
  }
}

/** Without a stack, which nobody reads: a body may have tens of thousands of faults, and taking it costs more than reading them. */
export function malformed(fault: string): MalformedError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new MalformedError(fault);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** 413: the sender has to split the request. */
export const tooLarge = (what: string): HttpError =>
  new HttpError(413, `${what} Send fewer spans in one request.`);

/**
 * 503: the same request may succeed later. Not 429, which some senders treat as final; all of them retry 503.
 *
 * @param afterSeconds delay before the retry, sent as `retry-after`
 */
export const busy = (why: string, afterSeconds: number, options: { cause?: unknown } = {}): HttpError =>
  new HttpError(503, why, { headers: { 'retry-after': String(afterSeconds) }, ...options });
