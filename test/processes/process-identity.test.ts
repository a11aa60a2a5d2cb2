import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, it } from 'vitest';

import { identifyOwnProcess, identifyProcess, isAlive } from '#processes/process-identity';

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
});
