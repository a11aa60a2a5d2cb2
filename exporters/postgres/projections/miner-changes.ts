import type { StepFact } from '#facts/step-fact';
import { countForecast, countStep, touchMiner, toDraft, type MinerDraft } from './miner-draft.ts';
import type { MinerFold } from './miner-fold.ts';
import type { ForecastHistory, HistoryChange } from './miner-history.ts';
import type { MinerFact } from '../log/recorded-fact.ts';
import type { MinerKey } from './tables/miner-history.ts';
import type { ForecastChange } from './tables/forecast-stats.ts';
import type { MinerToUpdate } from './tables/update-histories.ts';

/** Weight of a fact's log row: 1 when it is new, -1 when another replaced it, 0 when it was counted before. */
export type Counted = 0 | 1 | -1;

/** Whose row of `miner_stats` it is. */
export interface MinerOwner extends MinerKey {
  readonly fact: Pick<StepFact, 'validatorHotkey'>;
}

/** A forecast of a miner that changed. */
export type MinerForecast = Pick<ForecastChange, 'before' | 'after'> & {
  readonly item: MinerOwner & { readonly fact: Pick<StepFact, 'runId'> };
};

/**
 * A change to the projection of one miner: a fact, a forecast that changed with it, the history that was updated with
 * that, or the archived fold from which a rebuild starts.
 */
export type MinerChange = MinerOwner &
  (
    | { readonly kind: 'fact'; readonly fact: StepFact; readonly counted: Counted }
    | { readonly kind: 'forecast'; readonly change: MinerForecast }
    | { readonly kind: 'history'; readonly history: ForecastHistory }
    | { readonly kind: 'beginning'; readonly fold: MinerFold }
  );

/** The change that a fact makes to its miner. */
export const factChange = ({ validatorId, minerHotkey, fact }: MinerFact, counted: Counted): MinerChange => ({
  kind: 'fact',
  validatorId,
  minerHotkey,
  fact,
  counted,
});

/** Applies a change to the draft; an archived fold starts a new one. */
export function applyChange(draft: MinerDraft, change: MinerChange): MinerDraft {
  switch (change.kind) {
    case 'beginning':
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

/** The miners whose history may change, with the changes of their forecasts, by key. */
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

/** Adds the updated histories to the changes of their miners. */
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
