import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOutput } from '#commands/terminal/output';
import { CategorizedError } from '#semconv';
import { reportFailure } from '#commands/terminal/report-failure';

const CLEAR = '\r\u001b[2K';
let stdout: string;
let stderr: string;
beforeEach(() => {
  [stdout, stderr] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** As on a terminal of so many columns; undefined is a file or a pipe. */
function onTerminal(columns: number | undefined): void {
  Object.defineProperty(process.stderr, 'isTTY', { value: columns !== undefined, configurable: true });
  Object.defineProperty(process.stderr, 'columns', { value: columns, configurable: true });
}

describe('createOutput', () => {
  it('only results go to standard output; progress and problems go to standard error', () => {
    onTerminal(undefined);
    const output = createOutput({ isJson: false });
    output.progress('half way');
    output.problem('the port is taken');
    output.result('the table');
    expect({ stdout, stderr }).toEqual({ stdout: 'the table\n', stderr: 'half way\nthe port is taken\n' });
  });

  it('JSON mode prints problems but no progress', () => {
    onTerminal(80);
    const output = createOutput({ isJson: true });
    output.progress('half way');
    output.problem('the port is taken');
    output.result('{}');
    expect({ stdout, stderr }).toEqual({ stdout: '{}\n', stderr: 'the port is taken\n' });
  });

  it('a progress line on a terminal is cut to its width and replaced by the next output', () => {
    onTerminal(10);
    const output = createOutput({ isJson: false });
    output.progress('a line that is too long');
    output.progress('done');
    output.result('the table');
    expect(stderr).toBe(`${CLEAR}a line th${CLEAR}done${CLEAR}`);
  });
});

describe('createOutput and reportFailure, given texts of others', () => {
  it('no escape sequence reaches the terminal, and only our own line breaks do', () => {
    onTerminal(undefined);
    const output = createOutput({ isJson: false });
    for (const print of [output.result, output.problem, output.ending]) print('one\u001b[2J\ntwo\u202e');
    output.progress('half\nway\u0007');
    const lines = 'one\\u001b[2J\ntwo\\u202e\n';
    expect({ stdout, stderr }).toEqual({ stdout: lines, stderr: `${lines}${lines}half\\nway\\u0007\n` });
  });

  it('the message of a foreign error stays on its line, and that of an own one keeps its lines', () => {
    reportFailure(new Error('invalid input: "x\nFORGED"'));
    reportFailure(new CategorizedError('validator_internal', 'A is wrong.\nB is wrong.'));
    expect(stderr).toBe('invalid input: "x\\nFORGED"\nA is wrong.\nB is wrong.\n');
  });
});

describe('createOutput on a terminal without a width', () => {
  it('a progress line is not cut when the terminal reports no width', () => {
    onTerminal(0);
    createOutput({ isJson: false }).progress('a line that may be too long');
    expect(stderr).toBe(`${CLEAR}a line that may be too long`);
  });
});

describe('reportFailure', () => {
  it('a failure is printed without stack and secrets, with the addresses that the user gave', () => {
    reportFailure(new Error('http://10.0.0.1:80 refused, api_key=abc123 token: xyz'));
    expect(stderr).toBe('http://10.0.0.1:80 refused, api_key=[secret] token: [secret]\n');
    expect(process.exitCode).toBe(1);
  });

  it('a thrown value that is no Error is printed too', () => {
    reportFailure('just words');
    expect(stderr).toBe('just words\n');
  });
});
