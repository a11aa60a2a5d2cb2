import type { HostingStatus, ResponseStatus } from '#semconv';
import { classifyError, type StepAttributes } from '#steps';

/** What verification has found so far. It is mutable, so that a failed step reports what it found before the failure. */
export interface VerifyFindings {
  /** Whether the hosted files were requested; before that the hosting status is unknown. */
  hostingTried?: boolean;
  /** To the first byte of the manifest, milliseconds. */
  hostingLatencyMs?: number;
  storePath?: string;
  hashClaimed?: string;
  hashComputed?: string;
  header?: Readonly<Record<string, unknown>>;
  frozenAt?: Date;
  files?: number;
  bytesRead?: number;
  variables?: readonly string[];
}

/** The findings as attributes. */
export const findingAttributes = (findings: VerifyFindings): StepAttributes => ({
  'weather.hosting.latency_ms': findings.hostingLatencyMs,
  'weather.forecast.store_path': findings.storePath,
  'weather.manifest.hash_claimed': findings.hashClaimed,
  'weather.manifest.hash_computed': findings.hashComputed,
  'weather.manifest.header': findings.header && JSON.stringify(findings.header),
  'weather.manifest.frozen_time': findings.frozenAt?.toISOString(),
  'weather.profile.bytes_read': findings.bytesRead,
});

/** The findings that have no attribute. */
export const findingContext = ({ files, bytesRead, variables }: VerifyFindings): Record<string, unknown> => ({
  ...(files !== undefined && { files }),
  ...(bytesRead !== undefined && { bytes: bytesRead }),
  ...(variables !== undefined && { variables }),
});

/** The hosting status after an error; undefined when the hosted files were not requested. */
export function hostingStatusOf(error: unknown, { hostingTried }: VerifyFindings): HostingStatus | undefined {
  if (hostingTried !== true) return undefined;
  const category = classifyError(error);
  switch (category) {
    case 'timeout':
      return 'timeout';
    case 'connection':
    case 'handshake':
    case 'http_4xx':
    case 'http_5xx':
    case 'not_found':
      return 'inaccessible';
    case 'verification_freeze_window':
    case 'verification_hash_changed':
    case 'verification_manifest':
    case 'verification_signature':
    case 'verification_chunk':
      return 'accessible';
    default:
      return 'error';
  }
}

/** The response status of the miner after a failure. */
export function responseStatusOf(error: unknown, { hostingTried }: VerifyFindings): ResponseStatus {
  const category = classifyError(error);
  if (hostingTried !== true && category === 'not_found') return 'awaiting_miner_completion';
  switch (category) {
    case 'timeout':
      return 'verification_timeout';
    case 'verification_manifest':
    case 'verification_signature':
    case 'verification_chunk':
    case 'data_missing_variable':
    case 'invalid_response':
      return 'verification_failed';
    default:
      return 'verification_error';
  }
}

/** Whether the failure proves that the hosted forecast differs from its claim. An outage proves nothing. */
export const isDisproof = (error: unknown): boolean => {
  const category = classifyError(error);
  return category.startsWith('verification_') && category !== 'verification_freeze_window';
};
