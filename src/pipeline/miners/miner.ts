/** A miner, as the pipeline addresses it. */
export interface Miner {
  /** The slot that the miner holds now, 0 to 255. */
  readonly uid: number;
  /** The identity of the miner: an ss58 address. */
  readonly hotkey: string;
  /** Where the miner listens. It reveals the miner's address: never put it into an error or an attribute. */
  readonly baseUrl: string;
}

/** Temporary access to the forecast of one miner. */
export interface ForecastAccess {
  /** Bearer token. A secret. */
  readonly token: string;
  /** `/forecasts/{name}.zarr`, below the base URL of the miner. */
  readonly storePath: string;
  /** SHA-256 of the manifest's bytes as the miner claims it, lower-case hex. */
  readonly manifestHash: string;
}
