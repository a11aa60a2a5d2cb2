import type { Miner } from '#pipeline/miners/index';

/** Message to the process of a fleet. */
export interface FleetRequest {
  readonly count: number;
  readonly seed: number;
  /** T0 as ISO 8601. */
  readonly initTime: string;
  readonly leads: readonly number[];
  /** Paths of the world's stores. */
  readonly stores: { readonly truth: string; readonly climatology: string; readonly reference: string };
}

/** Its reply, once all forecasts are made and all miners listen. */
export interface FleetReady {
  readonly miners: readonly Miner[];
}
