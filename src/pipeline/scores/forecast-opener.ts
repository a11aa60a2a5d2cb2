import type { Dispatcher } from 'undici';
import { createHttpStore, openGridStore, toAddress, withManifestVerification, type GridStore } from '#grids';
import type { ForecastAccess, Miner, MinerClient } from '../miners/index.ts';

/** A miner's forecast whose every file is checked as it is read. */
export interface OpenedForecast {
  readonly store: GridStore;
  /** Bytes, requests and verified files so far. */
  stats(): { readonly bytes: number; readonly requests: number; readonly verifiedFiles: number };
}

/** A forecast to open, and the frozen file hashes that it is verified against. */
export interface ForecastToOpen {
  readonly miner: Miner;
  readonly access: ForecastAccess;
  /** Relative path to hash. */
  readonly files: Readonly<Record<string, string>>;
}

/** @throws CategorizedError `verification_chunk` for a file that is not the one that was frozen, now or when read */
export type ForecastOpener = (forecast: ForecastToOpen) => Promise<OpenedForecast>;

/** A field of 13 levels at 0.25 degrees in one chunk fits. The bounds of the validator's own stores are wider. */
const MOST_FIELD_BYTES = 2 ** 26;
/** A whole shard is read to be verified. */
const MOST_FILE_BYTES = 2 ** 27;

/** Creates an opener of forecasts at their miners' URLs. The dispatcher must accept self-signed certificates. */
export function createForecastOpener(
  minerClient: Pick<MinerClient, 'forecastReader'>,
  dispatcher: Dispatcher,
): ForecastOpener {
  return async ({ miner, access, files }) => {
    const { url, headers } = minerClient.forecastReader(miner, access);
    const hosted = createHttpStore(url, { headers, dispatcher, maxFileBytes: MOST_FILE_BYTES });
    const verified = withManifestVerification(hosted, { files });
    const store = await openGridStore(verified, {
      timeMissingCategory: 'data_missing_variable',
      requireChunks: true,
      origin: { kind: 'verified', address: toAddress(url) },
      maxFieldBytes: MOST_FIELD_BYTES,
    });
    const stats = (): ReturnType<OpenedForecast['stats']> => ({
      bytes: hosted.stats.bytes,
      requests: hosted.stats.requests,
      verifiedFiles: verified.stats.verifiedFiles,
    });
    return { store, stats };
  };
}
