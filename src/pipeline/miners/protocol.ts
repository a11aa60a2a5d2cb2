import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CategorizedError } from '#semconv';
import type { ForecastAccess, Miner } from './miner.ts';
import type { RequestType } from './wire-status.ts';

const MILLIS_PER_HOUR = 3_600_000;
/** The analysis before T0 that a forecast also starts from, hours. */
const PREVIOUS_STEP_HOURS = 6;

/** The path of each request, below the base URL of a miner. */
export const REQUEST_PATHS = {
  initiate_fetch: '/weather-initiate-fetch',
  poll_job_status: '/weather-poll-job-status',
  kerchunk_request: '/weather-kerchunk-request',
} as const satisfies Record<RequestType, string>;

/** The forecast that a miner is requested to make. */
export interface ForecastRequest {
  /** T0. */
  readonly initTime: Date;
  readonly validatorHotkey?: string;
}

/** The envelope of every request. */
export const requestSchema = z.object({ nonce: z.string().max(100).nullish(), data: z.unknown() });

const hotkeyText = z.string().min(1).max(100);
export const initiateFetchDataSchema = z.object({
  forecast_start_time: z.iso.datetime({ offset: true }),
  previous_step_time: z.iso.datetime({ offset: true }),
  validator_hotkey: hotkeyText.nullish(),
  expected_miner_hotkey: hotkeyText.nullish(),
});

/** The allowed form of a job id: ours are UUIDs, but the column takes 100 characters. */
const jobId = z.string().regex(/^[\w-]{1,100}$/, 'is not a job id of 1 to 100 letters, digits, "-" or "_"');
export const jobDataSchema = z.object({ job_id: jobId });

const message = z.string().max(10_000).nullish();
const status = z.string().min(1);
/** All are required when the forecast is ready, and absent before. */
const accessFields = {
  zarr_store_url: z.string().max(2000).nullish(),
  verification_hash: z.string().max(200).nullish(),
  access_token: z.string().max(8192).nullish(),
};

export const initiateFetchReplySchema = z.object({
  status,
  message,
  job_id: jobId.nullish(),
  expected_hotkey: z.string().max(200).nullish(),
  actual_hotkey: z.string().max(200).nullish(),
  ...accessFields,
});
/** An optional extra of a reply: of another form it is ignored, since miners may mean something else by it. */
const optionalInstant = z.iso.datetime({ offset: true }).nullish().catch(null);
export const pollReplySchema = z.object({
  status,
  message,
  progress: z.number().nullish(),
  inference_started_at: optionalInstant,
  started_at: optionalInstant,
});
export const tokenReplySchema = z.object({ status, message, ...accessFields });

/** Data of the request that asks a miner for a forecast. */
export function toInitiateFetchData(
  miner: Miner,
  request: ForecastRequest,
): z.input<typeof initiateFetchDataSchema> {
  const previous = new Date(request.initTime.getTime() - PREVIOUS_STEP_HOURS * MILLIS_PER_HOUR);
  return {
    forecast_start_time: request.initTime.toISOString(),
    previous_step_time: previous.toISOString(),
    validator_hotkey: request.validatorHotkey ?? null,
    expected_miner_hotkey: miner.hotkey,
  };
}

const invalid = (what: string): CategorizedError => new CategorizedError('invalid_response', what);

/**
 * Validates a reply against its schema.
 *
 * @throws CategorizedError `invalid_response` that names the fields at fault, never their values
 */
export function parseReply<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'reply'}: ${issue.message}`);
  throw invalid(`the miner's reply does not have the agreed shape (${faults.slice(0, 5).join('; ')})`);
}

const STORE_PATH = /(?:^|\/)forecasts\/([A-Za-z0-9_][A-Za-z0-9._-]{0,199}\.zarr)\/?$/;

/**
 * The path of a store below its miner. The URL of a reply may be relative or absolute; only its path is used, so that a
 * reply cannot redirect us, and the token, to another host.
 */
function toStorePath(url: string): string {
  const path = URL.canParse(url, 'http://miner.invalid') ? new URL(url, 'http://miner.invalid').pathname : '';
  const name = STORE_PATH.exec(path)?.[1];
  if (name === undefined)
    throw invalid('zarr_store_url does not name a store; allowed: /forecasts/{name}.zarr');
  return `/forecasts/${name}`;
}

type AccessFields = Pick<
  z.output<typeof tokenReplySchema>,
  'zarr_store_url' | 'verification_hash' | 'access_token'
>;

/**
 * The access to the forecast, or null when the reply lacks any part of it.
 *
 * @throws CategorizedError `invalid_response` when a part is present and malformed
 */
export function toForecastAccess(reply: AccessFields): ForecastAccess | null {
  const { zarr_store_url: url, verification_hash: hash, access_token: token } = reply;
  if (!url || !hash || !token) return null;
  if (!/^[0-9a-f]{64}$/i.test(hash))
    throw invalid('verification_hash is not a SHA-256; allowed: 64 hex digits');
  if (!/^[\w.~+/=-]+$/.test(token)) throw invalid('access_token holds characters that no bearer token has');
  return { token, storePath: toStorePath(url), manifestHash: hash.toLowerCase() };
}

/** `YYYYMMDDHHMMSS` in UTC. */
const compact = (instant: Date): string => instant.toISOString().replace(/\D/g, '').slice(0, 14);

/**
 * The id that a miner gives to its job for one forecast, as lower-case UUID text.
 *
 * It follows from T0 and the hotkey alone, whichever validator asks: the first 16 bytes of SHA-256 over
 * `weather_job_forecast_{T0}_{hotkey}`, with the bits of UUID version 4 set. Two UIDs that answer with one id are one
 * machine behind two slots.
 */
export function toJobId(initTime: Date, minerHotkey: string): string {
  const text = `weather_job_forecast_${compact(initTime)}_${minerHotkey}`;
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
