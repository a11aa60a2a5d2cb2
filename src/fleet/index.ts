export { startFleet } from './start-fleet.ts';
export type { Fleet, FleetMiner, FleetOptions } from './start-fleet.ts';
export { assignProfiles, PROFILES, type Profile } from './profile.ts';
export type { SimulatedMiner } from './simulated-miner.ts';
