import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Blosc from 'numcodecs/blosc';
import {
  createDirectoryStore,
  type FileManifest,
  hashFile,
  openGridStore,
  withManifestVerification,
} from '#grids';
import { createFieldCache, newCacheUse } from '#pipeline/scores/field-cache';
import { sharedPlannedFields } from '#pipeline/scores/field-plan';
import { requireLeadScore, scoreEra5Lead, type Era5LeadScore } from '#pipeline/scores/score-era5-lead';
import type { Scale, Suite } from '../harness/suite.ts';
import { globe } from '../scoring/lead-fields.ts';
import { LEAD_TIME, type LeadStores, writeLeadStores, writeNanForecast } from '../scoring/lead-stores.ts';

/** Degrees between neighbours: 361 by 720 points, a quarter of ERA5's, keep a round under ten seconds. */
const STEPS = { quick: 6, full: 0.5 } as const;
const FIELDS = 69;
const COORDINATES = ['time', 'pressure_level', 'lat', 'lon'];

/** Scoring one lead against ERA5 from local stores, beside only reading and decoding the chunks that it needs. */
export async function openLeads(scale: Scale): Promise<Suite> {
  const directory = await mkdtemp(join(tmpdir(), 'barograph-leads-'));
  const close = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const grid = globe(STEPS[scale]);
    const paths = await writeLeadStores(directory, grid);
    const sides = {
      scoreEra5Lead: await leadScoring(paths, requireLeadScore),
      'all of it NaN': await leadScoring(
        { ...paths, forecast: await writeNanForecast(directory, grid) },
        requireEveryFieldFailed,
      ),
      'read and decoded': await chunkReading(paths),
    };
    for (const side of Object.values(sides)) await side();
    const points = `${grid.latitudes.length} × ${grid.longitudes.length} points`;
    const comparison = {
      name: `One lead against ERA5: ${FIELDS} fields of ${points}, ${4 * FIELDS} chunks`,
      unit: 'ms',
      sides,
      targets: [
        {
          what: 'scoring, times reading and decoding',
          unit: '×',
          atMost: 1.3,
          value: (by: Readonly<Record<string, number>>) =>
            (by['scoreEra5Lead'] ?? NaN) / (by['read and decoded'] ?? NaN),
        },
        {
          what: 'a lead that is all NaN, times a clean one',
          unit: '×',
          atMost: 1,
          value: (by: Readonly<Record<string, number>>) =>
            (by['all of it NaN'] ?? NaN) / (by['scoreEra5Lead'] ?? NaN),
        },
      ],
    };
    return { comparisons: [comparison], close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The whole lead was looked at, and every field of it has its failed check. */
function requireEveryFieldFailed({ components }: Era5LeadScore): void {
  const failed = components.filter(({ failedCheck }) => failedCheck === 'coverage').length;
  if (failed !== FIELDS) throw new Error(`${failed} fields of the NaN lead failed, not ${FIELDS}.`);
}

/**
 * The scoring path of the pipeline, verification by the manifest included. Stores stay open, as in a run; caches of fields
 * are not.
 *
 * @param check what the pipeline would do with the score; throws when the lead is not as it was made
 */
async function leadScoring(
  paths: LeadStores,
  check: (scored: Era5LeadScore) => unknown,
): Promise<() => Promise<number>> {
  const named = async (name: 'truth' | 'reference' | 'climatology') => ({
    name,
    store: await openGridStore(paths[name]),
  });
  const files = createDirectoryStore(paths.forecast);
  const verified = withManifestVerification(files, await manifestOf(paths.forecast));
  const compared = {
    forecast: await openGridStore(verified, { requireChunks: true }),
    truth: await named('truth'),
    reference: await named('reference'),
    climatology: await named('climatology'),
    validTime: LEAD_TIME,
  };
  const planned = sharedPlannedFields(compared.truth.store, compared.climatology.store, compared.forecast);
  if (planned.length !== FIELDS) throw new Error(`The lead has ${planned.length} fields, not ${FIELDS}.`);
  return async () => {
    const startedAt = performance.now();
    const fields = createFieldCache(Number.MAX_SAFE_INTEGER);
    check(await scoreEra5Lead({ ...compared, fields, use: newCacheUse() }, planned));
    return performance.now() - startedAt;
  };
}

async function manifestOf(store: string): Promise<FileManifest> {
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const hashes = files.map(async (file): Promise<[string, string]> => {
    const path = file.slice(store.length + 1);
    return [path, hashFile(path, await readFile(file))];
  });
  return { files: Object.fromEntries(await Promise.all(hashes)) };
}

/** The used part of the codec library, whose own types do not resolve under this module system. */
interface DecoderFactory {
  fromConfig(configuration: object): { decode(bytes: Uint8Array): Promise<Uint8Array> };
}

/** The same chunks, read and decoded one after the other by the decoder that the stores use, and nothing else. */
async function chunkReading(paths: LeadStores): Promise<() => Promise<number>> {
  const codec = (Blosc as unknown as DecoderFactory).fromConfig({ id: 'blosc', clevel: 5, cname: 'zstd' });
  const chunks = (await Promise.all(Object.values(paths).map(chunksOf))).flat();
  if (chunks.length !== 4 * FIELDS) throw new Error(`The stores have ${chunks.length} chunks.`);
  return async () => {
    const startedAt = performance.now();
    for (const chunk of chunks) await codec.decode(await readFile(chunk));
    return performance.now() - startedAt;
  };
}

async function chunksOf(store: string): Promise<string[]> {
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /^\d/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !COORDINATES.some((name) => path.startsWith(join(store, name))));
}
