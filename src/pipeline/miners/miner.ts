/** A miner as the pipeline calls it. */
export interface Miner {
  /** The slot that the miner holds now, 0 to 255. */
  readonly uid: number;
  /** Who the miner is: an ss58 address. */
  readonly hotkey: string;
  /** Where it listens. It gives away the address of the miner, so it never enters an error or an attribute. */
  readonly baseUrl: string;
}

/** What opens the forecast of one miner for a while. */
export interface ForecastAccess {
  /** Bearer token. A secret. */
  readonly token: string;
  /** `/forecasts/{name}.zarr`, below the base URL of the miner. */
  readonly storePath: string;
  /** SHA-256 of the manifest's bytes as the miner claims it, lower-case hex. */
  readonly manifestHash: string;
}
