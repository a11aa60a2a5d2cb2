/** The two tables of the log. They are cut by time, and retention drops their old parts; all others stay for good. */
export const LOG_TABLES = ['weather_forecast_steps', 'weather_forecast_component_scores'] as const;
export type LogTable = (typeof LOG_TABLES)[number];

/** For how many days each table is kept; one that is not named is kept for good. */
export type Retention = Readonly<Partial<Record<LogTable, number>>>;
