import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { CategorizedError } from '#semconv';
import { isHotkey } from './hotkey.ts';
import type { Miner } from './miner.ts';
import { isError } from '#semconv/message-of';

const ADVICE = 'Write a JSON list like [{"uid": 17, "hotkey": "5F3sa2…", "url": "https://host:port"}].';

function isMinerUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return [url.username, url.password, url.search, url.hash].every((part) => part === '');
}

const entrySchema = z.strictObject({
  uid: z.int('is not a whole number').min(0, 'is below 0').max(255, 'is above 255'),
  hotkey: z.string().refine(isHotkey, 'is not an ss58 address with prefix 42 and a correct checksum'),
  url: z
    .string()
    .refine(isMinerUrl, 'is not an http or https URL without user, password, query and fragment')
    .transform((url) => url.replace(/\/+$/, '')),
});
const listSchema = z.array(entrySchema).min(1, 'holds no miner');

/** The operator wrote the list, so no miner is at fault. The message holds no URL: URLs reveal addresses. */
const fault = (what: string): CategorizedError =>
  new CategorizedError('validator_internal', `${what}. ${ADVICE}`);

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw fault(`${source} is not JSON`);
  }
}

/** Values that occur in the list more than once, with their indexes. */
function repeated(values: readonly (string | number)[]): { value: string | number; places: number[] }[] {
  const firsts = [...new Set(values)].map((value) => ({
    value,
    places: values.flatMap((other, place) => (other === value ? [place] : [])),
  }));
  return firsts.filter(({ places }) => places.length > 1);
}

function faultsOfRepeats(miners: readonly Miner[]): string[] {
  const at = (places: readonly number[]): string => `at [${places.join('], [')}]`;
  return [
    ...repeated(miners.map(({ uid }) => uid)).map(({ value, places }) => `uid ${value} occurs ${at(places)}`),
    ...repeated(miners.map(({ hotkey }) => hotkey)).map(
      ({ value, places }) => `hotkey ${value} occurs ${at(places)}`,
    ),
    ...repeated(miners.map(({ baseUrl }) => baseUrl)).map(({ places }) => `one url occurs ${at(places)}`),
  ];
}

/**
 * Parses a list of miners, `[{uid, hotkey, url}]`.
 *
 * @param source name of the list in errors
 * @throws CategorizedError `validator_internal` that names every entry at fault: not JSON, another shape, a bad address
 * or URL, or a uid, hotkey or URL that occurs twice
 */
export function parseMinerList(text: string, source = 'the list of miners'): readonly Miner[] {
  const parsed = listSchema.safeParse(parseJson(text, source));
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => {
      const [place, ...field] = issue.path;
      return `${place === undefined ? '' : `[${String(place)}]`}${field.map((key) => `.${String(key)}`).join('')} ${issue.message}`;
    });
    throw fault(`${source} is wrong: ${faults.map((one) => one.trim()).join('; ')}`);
  }
  const miners = parsed.data.map(({ uid, hotkey, url }) => ({ uid, hotkey, baseUrl: url }));
  const repeats = faultsOfRepeats(miners);
  if (repeats.length > 0) throw fault(`${source} names miners twice: ${repeats.join('; ')}`);
  return miners;
}

/** Reads the file of `--miners-file`. Errors name the file, not its folder. */
export async function readMinerList(path: string): Promise<readonly Miner[]> {
  const source = `the miners file ${basename(path)}`;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = isError(error) && 'code' in error ? String(error.code) : 'unknown';
    throw fault(`${source} cannot be read (${code})`);
  }
  return parseMinerList(text, source);
}
