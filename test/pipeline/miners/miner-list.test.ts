import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMinerList, readMinerList } from '#pipeline/miners/miner-list';
import { CategorizedError } from '#semconv';
import { HOTKEY } from './scripted-miner.ts';

const ALICE = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
const one = { uid: 17, hotkey: HOTKEY, url: 'https://203.0.113.9:33333/' };
const other = { uid: 0, hotkey: ALICE, url: 'http://miner.example:8080/m/0' };

const errorOf = (list: unknown): CategorizedError => {
  try {
    parseMinerList(typeof list === 'string' ? list : JSON.stringify(list));
  } catch (error) {
    if (error instanceof CategorizedError) return error;
  }
  throw new Error('the list was accepted');
};

describe('parseMinerList', () => {
  it('miners are read in their order, with URLs that paths can be appended to', () => {
    expect(parseMinerList(JSON.stringify([one, other]))).toEqual([
      { uid: 17, hotkey: HOTKEY, baseUrl: 'https://203.0.113.9:33333' },
      { uid: 0, hotkey: ALICE, baseUrl: 'http://miner.example:8080/m/0' },
    ]);
  });

  it.each([
    ['[', 'the list of miners is not JSON'],
    [{}, 'expected array'],
    [[], 'holds no miner'],
    [[{ ...one, uid: 256 }], '[0].uid is above 255'],
    [[{ ...one, uid: -1 }], '[0].uid is below 0'],
    [[{ ...one, uid: 1.5 }], '[0].uid is not a whole number'],
    [[one, { ...other, hotkey: `${ALICE}x` }], '[1].hotkey is not an ss58 address'],
    [[{ uid: 1, hotkey: HOTKEY }], '[0].url'],
    [[{ ...one, ip: '10.0.0.1' }], 'Unrecognized key: "ip"'],
  ])('the list %j is rejected with an error that names the entry', (list, message) => {
    const error = errorOf(list);
    expect(error.message).toContain(message);
    expect(error.message).toContain('Write a JSON list like [{"uid": 17');
    expect(error.category).toBe('validator_internal');
  });

  it.each([
    'ftp://x',
    'miner:8080',
    'https://user:pass@host',
    'https://host/?token=abc',
    'https://host/#a',
    '',
  ])('the URL "%s" is rejected without being repeated', (url) => {
    const { message } = errorOf([{ ...one, url }]);
    expect(message).toContain('[0].url is not an http or https URL');
    expect(message).not.toMatch(/pass@|abc|ftp:/);
  });

  it('an error names all repeated miners, but no address', () => {
    const { message } = errorOf([one, other, { ...one, url: 'https://203.0.113.9:33333' }]);
    expect(message).toContain('uid 17 occurs at [0], [2]');
    expect(message).toContain(`hotkey ${HOTKEY} occurs at [0], [2]`);
    expect(message).toContain('one url occurs at [0], [2]');
    expect(message).not.toContain('203.0.113.9');
  });
});

describe('readMinerList', () => {
  it('the error for a missing or malformed file names the file but not its folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'miners-'));
    try {
      await writeFile(join(folder, 'miners.json'), JSON.stringify([one]));
      expect(await readMinerList(join(folder, 'miners.json'))).toHaveLength(1);

      const missing = readMinerList(join(folder, 'none.json'));
      await expect(missing).rejects.toThrow('the miners file none.json cannot be read (ENOENT)');
      await expect(missing).rejects.not.toThrow(folder);

      await writeFile(join(folder, 'wrong.json'), '[]');
      await expect(readMinerList(join(folder, 'wrong.json'))).rejects.toThrow(
        'the miners file wrong.json is wrong',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
