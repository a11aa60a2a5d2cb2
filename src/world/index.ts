export {
  type DemonstrationWorld,
  makeDemonstrationWorld,
  makeWorldInMemory,
  WORLD_LEAD_HOURS,
} from './demonstration-world.ts';
export { makeSimulatedForecast, type SimulatedForecastOptions } from './simulated-forecast.ts';
export { createRandom, deriveSeed, type Random } from './seeded-random.ts';
