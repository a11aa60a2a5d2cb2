import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { diag } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { logDiagnostics } from '#commands/terminal/otel-log-level';
import { temporaryFolder } from '#test/support/temporary-folder';

afterEach(() => diag.disable());

/** What each level of OpenTelemetry's diagnostics writes under a value of the variable. */
function linesUnder(value: string | undefined): readonly string[] {
  const lines: string[] = [];
  logDiagnostics({ OTEL_LOG_LEVEL: value }, (line) => lines.push(line));
  for (const level of ['error', 'warn', 'info', 'debug', 'verbose'] as const) diag[level]('told', level);
  diag.disable();
  // The API itself notes at debug that it has registered a logger.
  return lines.filter((line) => line.includes(': told '));
}

describe('logDiagnostics', () => {
  it.each([
    [undefined, 0],
    ['', 0],
    ['none', 0],
    ['ERROR', 1],
    ['warn', 2],
    [' Info ', 3],
    ['debug', 4],
    ['verbose', 5],
    ['all', 5],
  ])('with OTEL_LOG_LEVEL %j the first %i levels are written', (value, count) => {
    const lines = ['error', 'warning', 'info', 'debug', 'verbose'].map(
      (name) => `OpenTelemetry ${name}: told `,
    );
    expect(linesUnder(value).map((line) => line.replace(/\w+\n$/, ''))).toEqual(lines.slice(0, count));
  });

  it('an unknown level is refused with the levels that there are', () => {
    expect(() => linesUnder('loud')).toThrow(
      'OTEL_LOG_LEVEL is "loud"; allowed: none, error, warn, info, debug, verbose, all. Correct it or leave it out.',
    );
  });

  it('what is written is one line without secrets, whatever the message holds', () => {
    const lines: string[] = [];
    logDiagnostics({ OTEL_LOG_LEVEL: 'error' }, (line) => lines.push(line));
    diag.error('refused\nby http://user:hunter2@host', { token: 'BT_PW=hunter2' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^OpenTelemetry error: refused\\n[^\n]*\n$/);
    expect(lines[0]).not.toContain('hunter2');
  });

  it('every command obeys it, and stdout stays that of the command', async () => {
    const run = async (level: string) =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'spools', 'list', '--json'], {
        env: {
          PATH: process.env['PATH'] ?? '',
          BAROGRAPH_DATA_DIR: await temporaryFolder(),
          OTEL_LOG_LEVEL: level,
        },
      });
    await expect(run('loud')).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^OTEL_LOG_LEVEL is "loud"; allowed/) as string,
    });
    expect(JSON.parse((await run('verbose')).stdout)).toBeTypeOf('object');
  }, 30_000);
});
