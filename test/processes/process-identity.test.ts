import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  identifyOwnProcess,
  identifyOwnThread,
  identifyProcess,
  isAlive,
  isThreadAlive,
} from '#processes/process-identity';

describe('the identity of a process', () => {
  it('the identity of a process begins with its pid and stays the same while it lives', () => {
    expect(identifyOwnProcess()).toMatch(new RegExp(`^${process.pid}(-\\d+)?$`));
    expect(identifyOwnProcess()).toBe(identifyProcess(process.pid));
    expect(isAlive(identifyOwnProcess())).toBe(true);
  });

  it('the identity of a process ends with it, so that its locks can be taken over', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(child, 'spawn');
    const identity = identifyProcess(child.pid ?? 0) ?? '';
    expect(isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
    expect(identifyProcess(child.pid ?? 0)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')(
    'the identity of a process differs from that of an earlier process with the same pid',
    () => {
      expect(isAlive(`${process.pid}-1`)).toBe(false);
      expect(isAlive(String(process.pid))).toBe(false);
    },
  );

  it.each(['', '0', '-1', 'nonsense', '4194305-7'])('an invalid identity ("%s") is not alive', (text) => {
    expect(isAlive(text)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('a zombie is not alive, although its pid still exists', async () => {
    // The shell becomes a program that never waits for its child.
    const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /);
    expect(process.kill(pid, 0)).toBe(true);
    expect(identifyProcess(pid)).toBeUndefined();
  });
});

describe('the identity of a thread', () => {
  it('the thread that asks is alive, and a thread that never was is not', () => {
    expect(isThreadAlive(process.pid, identifyOwnThread())).toBe(true);
    expect(isThreadAlive(process.pid, '4194305-7')).toBe(false);
  });

  it('a thread that has only the number of its runtime cannot be judged, unless it is the main one', () => {
    expect([isThreadAlive(process.pid, 'main'), isThreadAlive(process.pid, 'worker-3')]).toEqual([
      true,
      null,
    ]);
  });
});
