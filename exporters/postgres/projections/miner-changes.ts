import type { StepFact } from '#facts/step-fact';
import { countForecast, countStep, touchMiner, toDraft, type MinerDraft } from './miner-draft.ts';
import type { MinerFold } from './miner-fold.ts';
import type { ForecastHistory, HistoryChange } from './miner-history.ts';
import type { MinerFact } from '../log/recorded-fact.ts';
import type { MinerKey } from './tables/miner-history.ts';
import type { ForecastChange } from './tables/forecast-stats.ts';
import type { MinerToUpdate } from './tables/update-histories.ts';

/** Sign with which the log row of a fact counts: 1 when new, -1 when replaced by another, 0 when counted before. */
export type Counted = 0 | 1 | -1;

/** The miner whose row of `miner_stats` changes. */
export interface MinerOwner extends MinerKey {
  readonly fact: Pick<StepFact, 'validatorHotkey'>;
}

/** A forecast of a miner that changed. */
export type MinerForecast = Pick<ForecastChange, 'before' | 'after'> & {
  readonly item: MinerOwner & { readonly fact: Pick<StepFact, 'runId'> };
};

/**
 * One change of a miner's fold: a fact, a forecast that changed by it, the history updated with it, or the archived
 * fold that a rebuild starts from.
 */
export type MinerChange = MinerOwner &
  (
    | { readonly kind: 'fact'; readonly fact: StepFact; readonly counted: Counted }
    | { readonly kind: 'forecast'; readonly change: MinerForecast }
    | { readonly kind: 'history'; readonly history: ForecastHistory }
    | { readonly kind: 'archived'; readonly fold: MinerFold }
  );

/** The change that a fact makes to its miner. */
export const factChange = ({ validatorId, minerHotkey, fact }: MinerFact, counted: Counted): MinerChange => ({
  kind: 'fact',
  validatorId,
  minerHotkey,
  fact,
  counted,
});

/** Reducer: applies a change to the draft; an archived fold replaces it. */
export function applyChange(draft: MinerDraft, change: MinerChange): MinerDraft {
  switch (change.kind) {
    case 'archived':
      return toDraft(change.fold);
    case 'fact':
      if (change.counted !== -1) touchMiner(draft, change.fact);
      if (change.counted !== 0) countStep(draft, change.fact, change.counted);
      return draft;
    case 'forecast':
      countForecast(draft, change.change.before, change.change.after);
      return draft;
    case 'history':
      draft.history = change.history;
      return draft;
  }
}

type MinerChanges = ReadonlyMap<string, readonly MinerChange[]>;

/** The miners whose histories may change, with their changed forecasts, by the text of the key. */
export const minersToUpdate = (groups: MinerChanges): ReadonlyMap<string, MinerToUpdate> =>
  new Map(
    [...groups].flatMap(([key, minerChanges]) =>
      minerChanges.slice(0, 1).map(({ validatorId, minerHotkey }) => {
        return [key, { validatorId, minerHotkey, changes: minerChanges.flatMap(changeOf) }] as const;
      }),
    ),
  );

const changeOf = (minerChanges: MinerChange): readonly HistoryChange[] =>
  minerChanges.kind === 'forecast'
    ? [{ ...minerChanges.change, runId: minerChanges.change.item.fact.runId }]
    : [];

/** Appends the updated histories as changes of their miners. */
export const withHistories = (
  groups: MinerChanges,
  moved: ReadonlyMap<string, ForecastHistory>,
): MinerChanges =>
  new Map(
    [...groups].map(([key, minerChanges]) => {
      const [miner] = minerChanges;
      const history = moved.get(key);
      const isMoved = miner !== undefined && history !== undefined;
      return [key, isMoved ? [...minerChanges, { ...miner, kind: 'history', history }] : minerChanges];
    }),
  );
