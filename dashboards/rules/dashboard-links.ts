import { DASHBOARD_UIDS } from '../panels/links.ts';

const validator = 'var-validator={{ $labels.validator_id }}';

/** Dashboard links of alerts. Where the series carry a run or a miner, the link selects it. */
export const DASHBOARD_LINKS = {
  run: `/d/${DASHBOARD_UIDS.run}?${validator}&var-run={{ $labels.run_id }}`,
  miner: `/d/${DASHBOARD_UIDS.miner}?${validator}&var-miner={{ $labels.miner_hotkey | urlquery }}`,
  runs: `/d/${DASHBOARD_UIDS.run}`,
  validatorRuns: `/d/${DASHBOARD_UIDS.run}?${validator}`,
  pipeline: `/d/${DASHBOARD_UIDS.pipeline}`,
  recorder: `/d/${DASHBOARD_UIDS.recorder}`,
} as const;
