import { inspect } from 'node:util';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHotkeyFile, type HotkeySigner } from '#pipeline/miners/hotkey-file';
import { isSignedBy } from '#pipeline/miners/hotkey-signature';
import { messageOf } from '#semconv/message-of';
import { temporaryFolder } from '#test/support/temporary-folder';

const CANARY = '01'.repeat(32);
const ADDRESS = '5CcyqxXnJucaCnQQvvUg5EPzj1uoNAxACZvzArHw5aVDvgNH';
/** As a wallet writes it; `privateKey` is what must not be used. */
const FIELDS = {
  accountId: '0x189dac29296d31814dc8c56cf3d36a0543372bba7538fa322a4aebfebc39e056',
  publicKey: '0x189dac29296d31814dc8c56cf3d36a0543372bba7538fa322a4aebfebc39e056',
  privateKey: `0x${'7'.repeat(128)}`,
  secretPhrase: null,
  secretSeed: `0x${CANARY}`,
  ss58Address: ADDRESS,
};

/** Reads a key file that holds the fields, or a text as it is. */
async function readFields(fields: unknown): Promise<HotkeySigner> {
  const path = join(await temporaryFolder(), 'default');
  await writeFile(path, typeof fields === 'string' ? fields : JSON.stringify(fields));
  return readHotkeyFile(path);
}

async function rejectionOf(fields: unknown): Promise<string> {
  const error: unknown = await readFields(fields).catch((thrown: unknown) => thrown);
  const everything = inspect(error, { showHidden: true, depth: 9 });
  expect(everything).not.toContain(CANARY.slice(0, 16));
  expect(everything).not.toContain('7777');
  return messageOf(error);
}

describe('hotkey file', () => {
  it('the seed of a key file signs for its address, and no property of the signer holds the secret', async () => {
    const signer = await readFields(FIELDS);
    expect(signer.hotkey).toBe(ADDRESS);
    const bytes = new TextEncoder().encode('text');
    expect(isSignedBy(ADDRESS, bytes, signer.sign(bytes))).toBe(true);
    expect(inspect(signer, { showHidden: true, depth: 9 })).not.toMatch(/0101|Uint8Array/);
    expect(JSON.stringify(signer)).toBe(JSON.stringify({ hotkey: ADDRESS }));
  });

  it.each([
    ['no seed', { ...FIELDS, secretSeed: undefined }, /has no secretSeed; allowed: 0x and 64 hex digits/],
    ['a null seed', { ...FIELDS, secretSeed: null }, /has no secretSeed/],
    ['a seed without 0x', { ...FIELDS, secretSeed: CANARY }, /secretSeed of another form; allowed: 0x/],
    ['a seed in bytes', { ...FIELDS, secretSeed: `b'${CANARY}'` }, /secretSeed of another form/],
    ['a short seed', { ...FIELDS, secretSeed: `0x${CANARY.slice(2)}` }, /secretSeed of another form/],
    ['no address', { ...FIELDS, ss58Address: undefined }, /no ss58Address to compare/],
    [
      'the address of another key',
      { ...FIELDS, ss58Address: '5CfCr47V5Dte6bwxNBE8K9oNnQd9fiay6aDEEkgYtFv7w4Fq' },
      /makes another hotkey than its ss58Address/,
    ],
    ['no JSON', `0x${CANARY}`, /is no JSON object; name the key file/],
    ['a list', [FIELDS], /is no JSON object/],
    ['an encrypted file', `$NACL${CANARY}`, /is encrypted; a hotkey is read from an unencrypted key file/],
  ])(
    'a key file with %s is refused by what it lacks, and nothing of it is repeated',
    async (_, fields, words) => {
      expect(await rejectionOf(fields)).toMatch(words);
    },
  );

  it.each([`0x${CANARY}`, CANARY, JSON.stringify(FIELDS), 'abandon '.repeat(12).trim()])(
    'a secret in place of the name of its file is not repeated (%#)',
    async (secret) => {
      const error: unknown = await readHotkeyFile(secret).catch((thrown: unknown) => thrown);
      expect(messageOf(error)).toMatch(
        /^the hotkey file cannot be read \((?:ENOENT|ENAMETOOLONG)\); name a file/,
      );
      expect(inspect(error, { showHidden: true, depth: 9 })).not.toMatch(/01010101|7777|abandon/);
    },
  );

  it('a file that cannot be read, or that is far too large, is refused by its name alone', async () => {
    const folder = await temporaryFolder();
    await expect(readHotkeyFile(join(folder, 'nobody'))).rejects.toThrow(
      /^the hotkey file nobody cannot be read \(ENOENT\); name a file/,
    );
    await writeFile(join(folder, 'large'), ' '.repeat(70_000));
    await expect(readHotkeyFile(join(folder, 'large'))).rejects.toThrow(
      /large has 70000 bytes; allowed: 65536/,
    );
    await writeFile(join(folder, 'default'), JSON.stringify(FIELDS));
    await expect(readHotkeyFile(join(folder, 'default'))).resolves.toMatchObject({ hotkey: ADDRESS });
  });
});
