import { status } from '@grpc/grpc-js';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { describe, expect, it } from 'vitest';
import { encodingOf, toErrorReply, toGrpcStatus, toSuccessReply } from '#ingest/reply';
import { busy, HttpError, malformed, tooLarge } from '#ingest/http-error';
import { bytes, number } from './support/protobuf.ts';

const PARTLY = { rejectedSpans: 300, errorMessage: `span b: ${'ü'.repeat(200)}` };
const WHOLLY = { rejectedSpans: 0, errorMessage: '' };

describe('a success reply', () => {
  it('a success reply has no partial success when every span was accepted', () => {
    expect(toSuccessReply(WHOLLY, 'protobuf').body).toHaveLength(0);
    expect(toSuccessReply(WHOLLY, 'json').body.toString()).toBe('{}');
  });

  it('a success reply in protobuf carries number and reason of the rejected spans, as the SDK reads it', () => {
    const { status, headers, body } = toSuccessReply(PARTLY, 'protobuf');
    expect([status, headers['content-type']]).toEqual([200, 'application/x-protobuf']);
    expect(ProtobufTraceSerializer.deserializeResponse(body)).toEqual({ partialSuccess: PARTLY });
  });

  it('a success reply in JSON carries the same, with the number as text', () => {
    const { headers, body } = toSuccessReply(PARTLY, 'json');
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(body.toString())).toEqual({
      partialSuccess: { rejectedSpans: '300', errorMessage: PARTLY.errorMessage },
    });
  });
});

describe('an error reply', () => {
  it('an error reply is a status in the encoding of the request', () => {
    const message = 'The body is malformed: it is no JSON.';
    expect(toErrorReply(malformed('it is no JSON'), 'protobuf').body).toEqual(Buffer.from(bytes(2, message)));
    expect(JSON.parse(toErrorReply(malformed('it is no JSON'), 'json').body.toString())).toEqual({ message });
  });

  it('an error reply is in JSON when the request has no known encoding', () => {
    const { status, headers, body } = toErrorReply(busy('Too many requests at once.', 1), null);
    expect(status).toBe(503);
    expect(headers).toEqual({ 'retry-after': '1', 'content-type': 'application/json' });
    expect(JSON.parse(body.toString())).toEqual({ message: 'Too many requests at once.' });
  });
});

describe('a status of gRPC', () => {
  it.each([
    [malformed('it is no protobuf'), status.INVALID_ARGUMENT],
    [tooLarge('The body is large.'), status.RESOURCE_EXHAUSTED],
    [new HttpError(401, 'A token'), status.UNAUTHENTICATED],
    [new HttpError(403, 'No'), status.PERMISSION_DENIED],
    [new HttpError(404, 'No'), status.UNIMPLEMENTED],
    [new HttpError(500, 'No'), status.INTERNAL],
  ])('the error %s has the code %i and no time to come again: it is final', (error, expected) => {
    const { code, details, metadata } = toGrpcStatus(error);
    expect([code, details, metadata.getMap()]).toEqual([expected, error.message, {}]);
  });

  it('a status of gRPC says when to come again, where OTLP and where the SDK for Python look for it', () => {
    const { code, metadata } = toGrpcStatus(busy('Too many.', 300));
    const delay = Buffer.from(bytes(1, number(1, 300)));
    expect(code).toBe(status.UNAVAILABLE);
    expect(metadata.get('google.rpc.retryinfo-bin')).toEqual([delay]);
    expect(metadata.get('grpc-status-details-bin')).toEqual([
      Buffer.from([
        ...number(1, status.UNAVAILABLE),
        ...bytes(2, 'Too many.'),
        ...bytes(3, [...bytes(1, 'type.googleapis.com/google.rpc.RetryInfo'), ...bytes(2, [...delay])]),
      ]),
    ]);
  });

  it('a status of gRPC has a text that can be sent, however long and wherever it is cut', () => {
    const { details } = toGrpcStatus(malformed(`${'x'.repeat(976)}🌦${'y'.repeat(5000)}`));
    expect(details.length).toBeLessThanOrEqual(1000);
    expect(() => encodeURI(details)).not.toThrow();
  });
});

describe('the encoding of a body', () => {
  it.each([
    ['application/x-protobuf', 'protobuf'],
    ['Application/JSON; charset=utf-8', 'json'],
    ['application/grpc', null],
    ['', null],
    [undefined, null],
  ])('the encoding of a body of content type %s is %s', (contentType, expected) => {
    expect(encodingOf(contentType)).toBe(expected);
  });
});
