/** A rejected request as an HTTP status. The message goes to the sender. */
export class HttpError extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: RefusalOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

interface RefusalOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The body does not match its content type; sending it again cannot help. */
export const malformed = (what: string): HttpError => new HttpError(400, `The body is malformed: ${what}.`);

export const tooLarge = (what: string): HttpError =>
  new HttpError(413, `${what} Send fewer spans in one request.`);

/**
 * The same request may be taken later. Not 429, which some senders take for final; 503 is tried again by all.
 *
 * @param afterSeconds when the sender may come back
 */
export const busy = (why: string, afterSeconds: number, options: { cause?: unknown } = {}): HttpError =>
  new HttpError(503, why, { headers: { 'retry-after': String(afterSeconds) }, ...options });
