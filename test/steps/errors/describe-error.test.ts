import { describe, expect, it } from 'vitest';
import { CategorizedError } from '#semconv';
import { describeError } from '#steps/errors/describe-error';
import { normalizeMessage } from '#steps/errors/error-fingerprint';

class ChunkError extends Error {}

const failAt = (message: string): Error => new ChunkError(message);

describe('describeError', () => {
  it('describeError names the class by the constructor when the name is only Error', () => {
    expect(describeError(new ChunkError('x')).class).toBe('ChunkError');
    expect(describeError(new CategorizedError('timeout', 'x')).class).toBe('CategorizedError');
    expect(describeError(Object.create(null))).toMatchObject({ class: 'object', category: 'unknown' });
    expect(describeError('HTTP 500')).toMatchObject({ class: 'string', message: 'HTTP 500', stack: null });
    expect(describeError(null)).toMatchObject({ class: 'null', message: 'null' });
  });

  it('describeError keeps at most twenty frames, and of their files the base names only', () => {
    const deep = (depth: number): Error => (depth === 0 ? new Error('deep') : deep(depth - 1));
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 100;
    const described = describeError(deep(50));
    Error.stackTraceLimit = limit;
    const lines = described.stack?.split('\n') ?? [];
    expect(lines[0]).toBe('Error: deep');
    expect(lines).toHaveLength(21);
    expect(lines[1]).toMatch(/^ {4}at deep \(describe-error\.test\.ts:\d+:\d+\)$/);
  });

  it('describeError leaves no path in a stack, however the frame is written', () => {
    const error = new Error('x');
    error.stack = [
      'Error: x',
      '    at async Promise.all (index 0)',
      '    at async run (file:///home/Jane Doe/app/src/run.ts:1:2)',
      '    at /srv/validator/app/step.js:3:4',
      '    at Object.<anonymous> (C:\\Users\\Jane Doe\\step.js:5:6)',
      '    at process.processTicks (node:internal/process/task_queues:95:5)',
    ].join('\n');
    expect(describeError(error).stack?.split('\n').slice(1)).toEqual([
      '    at Promise.all (index 0)',
      '    at run (run.ts:1:2)',
      '    at <anonymous> (step.js:3:4)',
      '    at Object.<anonymous> (step.js:5:6)',
      '    at process.processTicks (node:internal/process/task_queues:95:5)',
    ]);
  });

  it('describeError scrubs message, code and causes, and cuts what is too long', () => {
    const cause = Object.assign(new Error('token=abc123'), { code: '10.1.2.3:80' });
    const described = describeError(new Error(`https://u:p@203.0.113.9:80/x ${'y'.repeat(5000)}`, { cause }));
    expect(described.message.startsWith('https://[host]/x yyy')).toBe(true);
    expect(described.message).toHaveLength(1000);
    expect(described.causes).toEqual([{ type: 'Error', message: 'token=[secret]', code: '[ip]' }]);
  });

  it('describeError lists causes and members, stops at cycles and after eight levels', () => {
    const inner = new Error('inner');
    const outer = new Error('outer', { cause: inner });
    inner.cause = outer;
    expect(describeError(outer).causes.map(({ message }) => message)).toEqual(['inner']);
    const several = new AggregateError([new Error('a'), new Error('b')], 'both', { cause: new Error('why') });
    expect(describeError(several).causes).toEqual([
      { type: 'Error', message: 'a', member: 0 },
      { type: 'Error', message: 'b', member: 1 },
      { type: 'Error', message: 'why' },
    ]);
    let chain = new Error('0');
    for (let depth = 1; depth < 20; depth += 1) chain = new Error(String(depth), { cause: chain });
    expect(describeError(chain).causes).toHaveLength(8);
  });

  it('describeError finds code and HTTP status in the first link of the chain that has one', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const reset = Object.assign(new Error('lost'), { code: 'ECONNRESET', cause: refused });
    const wrapped = new CategorizedError('connection', 'no reply', {
      cause: new TypeError('fetch', { cause: reset }),
    });
    expect(describeError(wrapped)).toMatchObject({
      class: 'CategorizedError',
      code: 'ECONNRESET',
      httpStatus: null,
    });
    const answered = new Error('bad gateway', { cause: { response: { status: 502 } } });
    expect(describeError(answered)).toMatchObject({ code: null, httpStatus: 502 });
    expect(describeError(Object.assign(new Error('exit'), { status: 1 })).httpStatus).toBeNull();
  });

  it('describeError gives equal failures one fingerprint, whatever their numbers, and others another', () => {
    const one = describeError(failAt('chunk 17 of job c868cfc6-3641-44c6-82f7-3d0eb3a0d155 took 3.5 s'));
    const two = describeError(failAt('chunk 4 of job 0a68cfc6-3641-44c6-82f7-3d0eb3a0d155 took 12 s'));
    const other = describeError(failAt('chunk 4 is gone'));
    expect(one.fingerprint).toMatch(/^[0-9a-f]{12}$/);
    expect(two.fingerprint).toBe(one.fingerprint);
    expect(other.fingerprint).not.toBe(one.fingerprint);
  });

  it('describeError handles an error whose stack is not a text', () => {
    const error = Object.assign(new Error('x'), { stack: 42 });
    expect(describeError(error).stack).toBeNull();
  });
});

describe('normalizeMessage', () => {
  it.each([
    ['took 4042 ms', 'took # ms'],
    ['hash b5c1d2e3f4 differs', 'hash # differs'],
    ['miner 5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX failed', 'miner # failed'],
    ['at  0xdeadbeef1\n now', 'at # now'],
    ['added a facade', 'added a facade'],
  ])('normalizeMessage: %j becomes %j', (message, normalized) => {
    expect(normalizeMessage(message)).toBe(normalized);
  });
});
