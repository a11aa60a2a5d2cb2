const validator = 'var-validator={{ $labels.validator_id }}';

/** The dashboards on which an alert can be seen. Where the series name a run or a miner, the link opens that one. */
export const DASHBOARD_LINKS = {
  run: `/d/barograph-run?${validator}&var-run={{ $labels.run_id }}`,
  miner: `/d/barograph-miner?${validator}&var-miner={{ $labels.miner_hotkey }}`,
  runs: '/d/barograph-run',
  validatorRuns: `/d/barograph-run?${validator}`,
  pipeline: '/d/barograph-pipeline',
  recorder: '/d/barograph-recorder',
} as const;
