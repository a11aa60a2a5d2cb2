import type { Miner } from '#pipeline/miners/index';

/** What the process of a fleet is told. */
export interface FleetRequest {
  readonly count: number;
  readonly seed: number;
  /** T0 as ISO 8601. */
  readonly initTime: string;
  readonly leads: readonly number[];
  /** Paths of the world's stores. */
  readonly stores: { readonly truth: string; readonly climatology: string; readonly reference: string };
}

/** What it says once all its forecasts are made and all its miners listen. */
export interface FleetReady {
  readonly miners: readonly Miner[];
}
