import { describe, expect, it } from 'vitest';
import { CategorizedError } from '#semconv';
import { classifyWireStatus, WIRE_STATUSES } from '#pipeline/miners/wire-status';

const thrownBy = (run: () => unknown): CategorizedError => {
  try {
    run();
  } catch (error) {
    if (error instanceof CategorizedError) return error;
  }
  throw new Error('no categorized error was thrown');
};

describe('classifyWireStatus', () => {
  it.each([
    ['fetch_accepted', 'accepted'],
    ['completed', 'ready'],
    ['forecast_ready', 'ready'],
    ['fetch_rejected', 'rejected'],
    ['error', 'error'],
  ])('the initiate-fetch status %s means %s', (status, kind) => {
    expect(classifyWireStatus('initiate_fetch', status)).toBe(kind);
  });

  it.each(['processing', 'received', 'running', 'running_inference', 'processing_output', 'in_progress'])(
    'the poll status %s means a running job',
    (status) => {
      expect(classifyWireStatus('poll_job_status', status)).toBe('running');
    },
  );

  it.each([
    'failed',
    'error',
    'fetch_error',
    'input_hash_mismatch',
    'input_hash_timeout',
    'input_poll_error',
  ])('the poll status %s means a failed job', (status) => {
    expect(classifyWireStatus('poll_job_status', status)).toBe('failed');
  });

  it('one status may mean different kinds for different requests', () => {
    expect(classifyWireStatus('poll_job_status', 'completed')).toBe('completed');
    expect(classifyWireStatus('kerchunk_request', 'completed')).toBe('ready');
    expect(classifyWireStatus('kerchunk_request', 'processing')).toBe('processing');
    expect(() => classifyWireStatus('kerchunk_request', 'running')).toThrow('allowed: completed, processing');
  });

  it.each(['verified_manifest_store_opened', 'Completed', 'toString', '__proto__', 'constructor', ''])(
    'the status "%s" is rejected, so that no miner can write a status of ours',
    (status) => {
      for (const type of Object.keys(WIRE_STATUSES) as (keyof typeof WIRE_STATUSES)[]) {
        const error = thrownBy(() => classifyWireStatus(type, status));
        expect(error.category).toBe('invalid_response');
        expect(error.message).toContain(`status ${JSON.stringify(status)}; allowed: `);
      }
    },
  );

  it('an endless status is quoted in at most 80 characters, on one line and without secrets', () => {
    const status = `bad\n\u0000https://203.0.113.9:33333/x?token=abc ${'x'.repeat(100_000)}`;
    const { message } = thrownBy(() => classifyWireStatus('poll_job_status', status));
    const quote = /status "(.*?)";/.exec(message)?.[1] ?? '';
    expect(Array.from(quote).length).toBeLessThanOrEqual(80);
    expect(quote).toMatch(/^bad /);
    expect(message).not.toMatch(/203\.0\.113\.9|33333|abc|\n/);
  });
});
