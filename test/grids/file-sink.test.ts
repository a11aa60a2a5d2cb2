import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileSink } from '../../src/grids/file-sink.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const text = (number: number): Uint8Array => new TextEncoder().encode(`file ${number}`);

describe('a sink of files', () => {
  it('has written every file once it says so, in folders that it makes', async () => {
    const folder = await temporaryFolder();
    const { write, written } = createFileSink(folder);
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    for (const number of numbers) await write(`group-${number % 3}/${number}`, text(number));
    await written();
    const contents = numbers.map((number) => readFile(join(folder, `group-${number % 3}/${number}`), 'utf8'));
    expect(await Promise.all(contents)).toEqual(numbers.map((number) => `file ${number}`));
  });

  it('throws at the end, if not before, when a file could not be written', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'taken'), '');
    const { write, written } = createFileSink(folder);
    await write('taken/0', text(0));
    await expect(written()).rejects.toMatchObject({
      code: expect.stringMatching(/EEXIST|ENOTDIR/) as string,
    });
  });
});
