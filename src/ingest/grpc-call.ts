import { constants, type ServerHttp2Stream } from 'node:http2';
import {
  type Metadata,
  status,
  type ServerInterceptingCallInterface,
  type ServerListener,
} from '@grpc/grpc-js';
import type { Arrivals, Arriving } from '#http/arrivals';
import { RefusedRequest, requireOwnHost } from '#http/doors';
import type { HttpLimits } from '#http/http-server';
import {
  exportSpans,
  requireNoBrowser,
  requireToken,
  toHttpError,
  type ExportHandlerParts,
} from './handle-export.ts';
import { HttpError } from './http-error.ts';
import { toGrpcStatus, toSuccessReply } from './reply.ts';
import { bodyTooLarge, requirePacking, type Packing } from './request-body.ts';
import type { IngestToken } from './tokens.ts';

/** The method of OTLP/gRPC for traces. */
export const EXPORT_TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** What the calls of gRPC need. */
export interface GrpcCallParts extends ExportHandlerParts {
  readonly host: string;
  readonly limits: HttpLimits;
  /** Bytes of all bodies that have arrived and are not answered, those of HTTP too. */
  readonly arrivals: Arrivals;
}

/** A call whose headers have come. */
export interface OpenCall {
  readonly stream: ServerHttp2Stream;
  readonly address: string | undefined;
  readonly encoding: string | undefined;
  /** Set when there are too many calls. */
  readonly rejection: RefusedRequest | null;
  /** When its headers came, on the clock of `performance.now`. */
  readonly openedAt: number;
  /** Whether its message has come whole. */
  isWhole: boolean;
  /** Answers the call with an error, unless it is answered. */
  refuse: ((error: unknown) => void) | null;
}

/** Tells the interceptor which stream of HTTP/2 its call is; whatever a sender writes there is overwritten. */
export const STREAM_HEADER = 'barograph-stream';

/** What one call needs. */
export interface ExportCallParts extends GrpcCallParts {
  readonly path: string;
  readonly calls: ReadonlyMap<string, OpenCall>;
  readonly inFlight: Set<Promise<void>>;
}

/** Bytes before a message: whether it is packed, and its length. */
const PREFIX_BYTES = 5;

interface Admitted {
  readonly stream: ServerHttp2Stream;
  readonly token: IngestToken;
  readonly packing: Packing;
}

/** One call: admitted before its message is read, answered when that has arrived. */
export class ExportCall {
  readonly #call: ServerInterceptingCallInterface;
  readonly #parts: ExportCallParts;
  #admitted: Admitted | null = null;
  #arrival: OpenCall | null = null;
  #message: Buffer | null = null;
  #isPacked = false;
  #isReplied = false;
  readonly #body: Arriving;
  #hasBegun = false;

  constructor(call: ServerInterceptingCallInterface, parts: ExportCallParts) {
    this.#call = call;
    this.#parts = parts;
    this.#body = parts.arrivals.open((error) => this.#giveWay(error));
  }

  readonly listener: ServerListener = {
    onReceiveMetadata: (metadata, next) => {
      try {
        this.#admit(metadata);
        next(metadata);
      } catch (error) {
        this.#refuse(error);
      }
    },
    // A second message, or none, is refused by grpc-js.
    onReceiveMessage: (message: Buffer, next) => {
      if (this.#message !== null) this.#end();
      this.#message = message;
      this.#body.markWhole();
      if (this.#arrival !== null) this.#arrival.isWhole = true;
      next(message);
    },
    onReceiveHalfClose: (next) => {
      if (this.#message === null || this.#admitted === null) next();
      else if (!this.#isReplied) this.#reply(this.#message, this.#admitted);
    },
    onCancel: () => this.#end(),
  };

  /** @throws HttpError, RefusedRequest */
  #admit(metadata: Metadata): void {
    const { path, host, tokens, calls } = this.#parts;
    const first = (key: string): string | undefined => metadata.get(key)[0]?.toString();
    const arrival = calls.get(first(STREAM_HEADER) ?? '');
    if (arrival === undefined) throw new Error('A call of gRPC without its stream.');
    this.#arrival = arrival;
    const { stream, encoding, rejection } = arrival;
    arrival.refuse = (error) => this.#refuse(error);
    if (rejection !== null) throw rejection;
    if (path !== EXPORT_TRACES) throw new HttpError(404, TRACES_ALONE);
    requireOwnHost(host, this.#call.getHost());
    requireNoBrowser({ origin: first('origin') });
    const token = requireToken({ authorization: first('authorization') }, tokens);
    this.#admitted = { stream, token, packing: requirePacking({ 'content-encoding': encoding }) };
    // Before that of grpc-js, and unlike `on` without starting the flow.
    stream.prependListener('data', (chunk: Buffer) => this.#countBytes(chunk));
    stream.once('close', () => this.#end());
  }

  /** Takes the bytes of a chunk from the budget; what comes after an answer is kept by nobody. */
  #countBytes(chunk: Buffer): void {
    if (this.#isReplied || chunk.length === 0) return;
    const { maxBodyBytes } = this.#parts;
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    if (isFirst) this.#isPacked = chunk[0] !== 0;
    if (isFirst && chunk.length >= PREFIX_BYTES && chunk.readUInt32BE(1) > maxBodyBytes)
      this.#refuse(bodyTooLarge(maxBodyBytes));
    else if (!this.#body.take(chunk.length))
      this.#refuse(new RefusedRequest(503, 'Too many bodies at once.', 1));
  }

  #reply(body: Buffer, { token, packing }: Admitted): void {
    const sent = {
      body,
      packing: this.#isPacked ? packing : 'identity',
      encoding: 'protobuf',
      token,
    } as const;
    const answered = exportSpans(sent, this.#parts)
      .then((result) => {
        this.#end();
        const ok = { code: status.OK, details: 'OK', metadata: null };
        this.#call.sendMessage(toSuccessReply(result, 'protobuf').body, () => this.#call.sendStatus(ok));
      })
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => this.#parts.inFlight.delete(answered));
    this.#parts.inFlight.add(answered);
  }

  /** Its stream ends with its answer, or grpc-js would keep what has come of the message. */
  #giveWay(error: unknown): void {
    this.#refuse(error);
    this.#admitted?.stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #refuse(error: unknown): void {
    if (this.#isReplied) return;
    this.#end();
    this.#call.sendStatus(toGrpcStatus(toHttpError(error, this.#parts)));
  }

  /** Gives the budget back; a client that does not take its reply is cut off, or it would keep the stream. */
  #end(): void {
    if (this.#isReplied) return;
    this.#isReplied = true;
    this.#body.release();
    const { limits } = this.#parts;
    const stream = this.#admitted?.stream;
    if (stream === undefined || stream.closed) return;
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), limits.requestTimeoutMillis);
    stream.once('close', () => clearTimeout(timer));
  }
}

const TRACES_ALONE =
  `This port takes traces alone: ${EXPORT_TRACES.slice(1)}. ` +
  'Set OTEL_METRICS_EXPORTER and OTEL_LOGS_EXPORTER to none, or send those elsewhere.';
