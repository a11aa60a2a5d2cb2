import fc from 'fast-check';

/**
 * Every property is tried with the same values in every run, so the gate gives the same answer for the same code.
 * `BAROGRAPH_PROPERTY_SEED` tries others.
 */
fc.configureGlobal({ seed: Number(process.env['BAROGRAPH_PROPERTY_SEED'] ?? 20261128) });
