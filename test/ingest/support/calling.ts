import { once } from 'node:events';
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type Settings,
} from 'node:http2';
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  status,
  type ServiceError,
} from '@grpc/grpc-js';
import type { IngestServer } from '#ingest';
import { bytes, number } from './protobuf.ts';

const EXPORT_TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** What a client of gRPC sends. */
export interface Called {
  readonly body?: Buffer;
  readonly path?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly compression?: compressionAlgorithms;
  readonly authority?: string;
}

/** What it sees. */
export interface Answer {
  readonly code: status;
  readonly details: string;
  readonly retryInfo: Buffer | undefined;
  readonly body: Buffer;
}

/** One call by the client of grpc-js, which neither parses nor tries again. */
export async function call(
  { grpcUrl }: Pick<IngestServer, 'grpcUrl'>,
  {
    body = Buffer.alloc(0),
    path = EXPORT_TRACES,
    metadata = {},
    compression = compressionAlgorithms.identity,
    authority,
  }: Called = {},
): Promise<Answer> {
  const client = new Client(new URL(grpcUrl ?? '').host, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression,
    'grpc.use_local_subchannel_pool': 1,
    ...(authority !== undefined && { 'grpc.default_authority': authority }),
  });
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  const asItIs = (content: Buffer): Buffer => content;
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(path, asItIs, asItIs, body, sent, (error: ServiceError | null, reply) => {
        const [retryInfo] = error?.metadata.get('grpc-status-details-bin') ?? [];
        const { code, details } = error ?? { code: status.OK, details: '' };
        resolve({
          code,
          details,
          retryInfo: retryInfo as Buffer | undefined,
          body: reply ?? Buffer.alloc(0),
        });
      });
    });
  } finally {
    client.close();
  }
}

/** google.rpc.Status with the time after which a sender may come again. */
export const retryInfoOf = ({ code, details }: Answer, afterSeconds: number): Buffer =>
  Buffer.from([
    ...number(1, code),
    ...bytes(2, details),
    ...bytes(3, [
      ...bytes(1, 'type.googleapis.com/google.rpc.RetryInfo'),
      ...bytes(2, bytes(1, number(1, afterSeconds))),
    ]),
  ]);

/** A message as gRPC frames it. */
export function framed(message: Uint8Array, { isPacked = false, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(isPacked ? 1 : 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** A connection of HTTP/2 alone, for what no client of gRPC sends. */
export async function connection(
  { grpcUrl }: Pick<IngestServer, 'grpcUrl'>,
  settings: Settings = {},
): Promise<ClientHttp2Session> {
  const session = connect(grpcUrl ?? '', { settings });
  session.on('error', () => undefined);
  await once(session, 'connect');
  return session;
}

/** A call whose message is not ended. */
export function opened(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const all = {
    ':method': 'POST',
    ':path': EXPORT_TRACES,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const stream = session.request({ ...all, ...headers });
  stream.on('error', () => undefined);
  return stream;
}

/** The status with which a call ends, and its text. */
export async function statusOf(stream: ClientHttp2Stream): Promise<readonly [number, string]> {
  stream.resume();
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  const [trailers] =
    headers['grpc-status'] === undefined
      ? ((await once(stream, 'trailers')) as [IncomingHttpHeaders])
      : [headers];
  return [Number(trailers['grpc-status']), decodeURI(String(trailers['grpc-message']))];
}
