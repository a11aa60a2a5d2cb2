import type { StepFact } from '#facts/step-fact';
import { countForecast, countStep, noticeMiner, openMiner, type MinerDraft } from './miner-draft.ts';
import type { MinerFold } from './miner-fold.ts';
import type { ForecastHistory, HistoryChange } from './miner-history.ts';
import type { MinerFact } from '../log/recorded-fact.ts';
import type { MinerKey } from './tables/miner-history.ts';
import type { ForecastChange } from './tables/forecast-stats.ts';
import type { ToldMiner } from './tables/update-histories.ts';

/** How the log row of a fact counts: 1 when it is new, -1 when it gave way to another, 0 when it was counted before. */
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
 * What one batch tells of a miner: a fact, a forecast that changed because of it and the history that moved with it, or
 * what a rebuild begins with.
 */
export type MinerNews = MinerOwner &
  (
    | { readonly kind: 'fact'; readonly fact: StepFact; readonly counted: Counted }
    | { readonly kind: 'forecast'; readonly change: MinerForecast }
    | { readonly kind: 'history'; readonly history: ForecastHistory }
    | { readonly kind: 'beginning'; readonly fold: MinerFold }
  );

/** What a fact tells of its miner. */
export const factNews = ({ validatorId, minerHotkey, fact }: MinerFact, counted: Counted): MinerNews => ({
  kind: 'fact',
  validatorId,
  minerHotkey,
  fact,
  counted,
});

/** Adds to the draft, or begins another. */
export function addNews(draft: MinerDraft, news: MinerNews): MinerDraft {
  switch (news.kind) {
    case 'beginning':
      return openMiner(news.fold);
    case 'fact':
      if (news.counted !== -1) noticeMiner(draft, news.fact);
      if (news.counted !== 0) countStep(draft, news.fact, news.counted);
      return draft;
    case 'forecast':
      countForecast(draft, news.change.before, news.change.after);
      return draft;
    case 'history':
      draft.history = news.history;
      return draft;
  }
}

type NewsOfMiners = ReadonlyMap<string, readonly MinerNews[]>;

/** Whose history may move, and with what, by the texts of their keys. */
export const toldMiners = (groups: NewsOfMiners): ReadonlyMap<string, ToldMiner> =>
  new Map(
    [...groups].flatMap(([key, news]) =>
      news.slice(0, 1).map(({ validatorId, minerHotkey }) => {
        return [key, { validatorId, minerHotkey, changes: news.flatMap(changeOf) }] as const;
      }),
    ),
  );

const changeOf = (news: MinerNews): readonly HistoryChange[] =>
  news.kind === 'forecast' ? [{ ...news.change, runId: news.change.item.fact.runId }] : [];

/** Tells the miners whose history moved of it. */
export const withHistories = (
  groups: NewsOfMiners,
  moved: ReadonlyMap<string, ForecastHistory>,
): NewsOfMiners =>
  new Map(
    [...groups].map(([key, news]) => {
      const [miner] = news;
      const history = moved.get(key);
      const isMoved = miner !== undefined && history !== undefined;
      return [key, isMoved ? [...news, { ...miner, kind: 'history', history }] : news];
    }),
  );
