import { describe, expect, it } from 'vitest';
import { openGridStore } from '#grids';
import { plainFiles, setJson, smallField, smallFiles, VALID_TIMES } from './small-store.ts';

const FIELD = { variable: '2t', pressureHpa: null, validTime: VALID_TIMES[0] } as const;
const T850 = { ...FIELD, variable: 't', pressureHpa: 850 } as const;

/** The small store with its arrays under other names. */
async function renamed(names: Readonly<Record<string, string>>): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const [path, bytes] of await plainFiles()) {
    const [array = '', ...rest] = path.split('/');
    files.set([names[array] ?? array, ...rest].join('/'), bytes);
  }
  return files;
}

function setAttributes(files: Map<string, Uint8Array>, array: string, attributes: object): void {
  const path = `${array}/.zattrs`;
  const known = JSON.parse(new TextDecoder().decode(files.get(path))) as object;
  setJson(files, path, { ...known, ...attributes });
}

describe('the names of variables', () => {
  it.each([
    { '2t': 't2m', t: 'temperature' },
    { '2t': '2m_temperature', t: 'ta' },
    { '2t': 'temperature_2m' },
  ])('arrays under the names %o are read under their short names', async (names) => {
    const store = await openGridStore(await renamed(names));
    expect(store.variables.map(({ name }) => name)).toEqual(['2t', 't']);
    expect(await store.readField(FIELD)).toEqual(smallField(FIELD.validTime, 0));
    expect(await store.readField(T850)).toEqual(smallField(FIELD.validTime, 850));
  });

  it.each([
    ['gh', 9.80665],
    ['geopotential_height', 9.80665],
    ['geopotential', 1],
  ])(
    'array %s without units is in the unit that its name means, so that heights are no geopotential',
    async (name, factor) => {
      const files = await renamed({ t: name });
      setAttributes(files, name, { units: undefined });
      const store = await openGridStore(files);
      const heights = smallField(FIELD.validTime, 850);
      const field = await store.readField({ ...T850, variable: 'z' });
      expect(field).toEqual(heights.map((height) => height * factor));
    },
  );

  it('array z without units is in metres where its standard name is that of the height', async () => {
    const files = await renamed({ t: 'z' });
    setAttributes(files, 'z', { units: undefined, standard_name: 'geopotential_height' });
    const field = await (await openGridStore(files)).readField({ ...T850, variable: 'z' });
    expect(field).toEqual(smallField(FIELD.validTime, 850).map((height) => height * 9.80665));
  });

  it('a store with two arrays of one variable is refused by both names', async () => {
    const files = await plainFiles();
    for (const [path, bytes] of [...files])
      if (path.startsWith('2t/')) files.set(path.replace('2t', 't2m'), bytes);
    await expect(openGridStore(files)).rejects.toThrow('Arrays 2t and t2m are both 2t');
  });

  it('arrays under names of nobody are found by their standard name and whether they have levels', async () => {
    const files = await smallFiles({ zarrFormat: 2 });
    const renamedFiles = new Map<string, Uint8Array>();
    for (const [path, bytes] of files)
      renamedFiles.set(path.replace(/^2t\//, 'near/').replace(/^t\//, 'aloft/'), bytes);
    const document = JSON.parse(new TextDecoder().decode(files.get('.zmetadata'))) as {
      metadata: Record<string, object>;
    };
    const metadata = Object.fromEntries(
      Object.entries(document.metadata).map(([path, one]) => [
        path.replace(/^2t\//, 'near/').replace(/^t\//, 'aloft/'),
        /^2?t\/\.zattrs$/.test(path) ? { ...one, standard_name: 'air_temperature' } : one,
      ]),
    );
    setJson(renamedFiles, '.zmetadata', { ...document, metadata });
    const store = await openGridStore(renamedFiles);
    expect(await store.readField(FIELD)).toEqual(smallField(FIELD.validTime, 0));
    expect(await store.readField(T850)).toEqual(smallField(FIELD.validTime, 850));
  });

  it('a store without any of them says what it holds', async () => {
    const files = await smallFiles({ zarrFormat: 2 });
    const text = new TextDecoder().decode(files.get('.zmetadata'));
    files.set(
      '.zmetadata',
      new TextEncoder().encode(text.replaceAll('"2t/', '"sst/').replaceAll('"t/', '"ice/')),
    );
    await expect(openGridStore(files)).rejects.toThrow(/none of the forecast variables .* It holds .*sst/);
  });
});

describe('the units of variables', () => {
  it('values in other units are read in those of the vocabulary', async () => {
    const files = await plainFiles();
    setAttributes(files, '2t', { units: 'degrees_Celsius' });
    const field = await (await openGridStore(files)).readField(FIELD);
    const expected = smallField(FIELD.validTime, 0).map((value) => value + 273.15);
    expect(field).toEqual(expected);
  });

  it('packed values are unpacked before they are converted', async () => {
    const files = await plainFiles();
    setAttributes(files, '2t', { units: 'degF', scale_factor: 2, add_offset: -400 });
    const field = await (await openGridStore(files)).readField(FIELD);
    const [stored = 0] = smallField(FIELD.validTime, 0);
    expect(field[0]).toBeCloseTo(((stored * 2 - 400 - 32) * 5) / 9 + 273.15, 3);
  });

  it('units that are none of the variable are refused by both', async () => {
    const files = await plainFiles();
    setAttributes(files, '2t', { units: 'hPa' });
    await expect(openGridStore(files)).rejects.toThrow(
      'Variable 2t has units "hPa"; for 2t these are allowed: K, degC, degF.',
    );
  });
});
