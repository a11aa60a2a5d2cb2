/** Environment of a run with scaled delays: real ones, such as the freeze window, take days. */
export const SHORT_DELAYS = { BAROGRAPH_DELAY_FACTOR: '0.000001' };
