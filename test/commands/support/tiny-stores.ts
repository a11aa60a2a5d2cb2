import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { INIT_TIME, tinyFiles, type TinyStore } from '#test/pipeline/support/tiny-world';

/** The leads that the tiny stores hold, hours: day one and two of ERA5. */
export const TINY_LEADS = [12, 24, 48];

/** Writes a store of the tiny world into a folder; `edit` may spoil its files. */
export async function writeTinyStore(
  directory: string,
  store: Partial<TinyStore>,
  edit: (files: Map<string, Uint8Array>) => void = () => undefined,
): Promise<string> {
  const files = await tinyFiles({ leads: TINY_LEADS, error: 0, ...store });
  edit(files);
  for (const [path, content] of files) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return directory;
}

/** Options of `barograph run` by name. */
export type RunArguments = Readonly<Record<string, string>>;

/** Writes truth, climatology and reference, and gives the options of a small run on them. */
export async function writeTinyWorld(folder: string): Promise<RunArguments> {
  return {
    truth: await writeTinyStore(join(folder, 'truth.zarr'), {}),
    climatology: await writeTinyStore(join(folder, 'climatology.zarr'), { error: -1.4, phase: 2 }),
    reference: await writeTinyStore(join(folder, 'reference.zarr'), { error: 0.4, phase: 5 }),
    'init-time': INIT_TIME.toISOString(),
    leads: '24,48',
    miners: '2',
  };
}

/** The options as they are typed, changed. */
export const toArguments = (options: RunArguments, changes: RunArguments = {}): string[] => [
  ...Object.entries({ ...options, ...changes }).flatMap(([name, value]) => [`--${name}`, value]),
  '--json',
];

/** Changes one JSON document of a store and its copy in the consolidated metadata. */
export function editJson(
  files: Map<string, Uint8Array>,
  path: string,
  edit: (document: Record<string, unknown>) => void,
): void {
  const change = (
    name: string,
    documentOf: (whole: Record<string, unknown>) => Record<string, unknown>,
  ): void => {
    const whole = JSON.parse(new TextDecoder().decode(files.get(name))) as Record<string, unknown>;
    edit(documentOf(whole));
    files.set(name, new TextEncoder().encode(JSON.stringify(whole)));
  };
  change(path, (whole) => whole);
  change('.zmetadata', (whole) => (whole['metadata'] as Record<string, Record<string, unknown>>)[path] ?? {});
}
