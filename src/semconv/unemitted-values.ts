import type { ATTRIBUTES } from './attributes.ts';

/**
 * The values of closed sets that no step of Barograph's own pipeline sets, each with the reason. They stay allowed: other
 * programs may send them, and stored rows may hold them. A test holds this table against what the pipeline emits.
 */
export const UNEMITTED_VALUES = {
  'weather.step.status': { abandoned: 'follows from a synthetic end' },
  'weather.stage.status': {
    retrying: 'another word for waiting_retry, which is used instead',
    error: 'follows, in the tables, from an abandoned step',
  },
  'weather.forecast.status': {
    pending: 'follows, in the tables, from a forecast whose status nothing has told',
  },
  'weather.response.status': {
    received: 'a default of the original table; a row here has no status before the miner is asked',
    forecast_submitted: 'of a poller before this protocol; a forecast that is ready is forecast_ready',
  },
} as const satisfies { readonly [Name in keyof typeof ATTRIBUTES]?: Readonly<Record<string, string>> };
