import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  DataqueryBuilder,
  PromQueryFormat,
  QueryEditorMode,
} from '@grafana/grafana-foundation-sdk/prometheus';
import { DATASOURCES } from './datasources.ts';

/** A query in SQL, in the form that Grafana stores; the SDK has no type for PostgreSQL. */
export interface SqlQuery extends Dataquery {
  readonly refId: string;
  readonly datasource: DataSourceRef;
  readonly rawSql: string;
  readonly format: 'table' | 'time_series';
  readonly rawQuery: true;
  readonly editorMode: 'code';
}

/** A table of rows, or, with `time_series`, of points in time: a column `time`, then the lines. */
export function sqlQuery(rawSql: string, format: SqlQuery['format'] = 'table'): Builder<SqlQuery> {
  return {
    build: () => ({
      refId: 'A',
      datasource: DATASOURCES.postgres,
      rawSql: rawSql.trim(),
      format,
      rawQuery: true,
      editorMode: 'code',
      _implementsDataqueryVariant: () => undefined,
    }),
  };
}

/** One expression of a panel. */
export interface PromQuery {
  readonly expr: string;
  /** Name of a line: text with `{{label}}`. */
  readonly legend: string;
  /** Whether the exemplars of the histogram are drawn, each a link to its trace. */
  readonly exemplars?: boolean;
}

/** Lines over time. */
export function rangeQueries(queries: readonly PromQuery[]): DataqueryBuilder[] {
  return queries.map((query, index) =>
    base(query, index)
      .range()
      .exemplar(query.exemplars ?? false),
  );
}

/** Current values. */
export function instantQueries(queries: readonly PromQuery[]): DataqueryBuilder[] {
  return queries.map((query, index) => base(query, index).instant());
}

function base({ expr, legend }: PromQuery, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .datasource(DATASOURCES.prometheus)
    .editorMode(QueryEditorMode.Code)
    .format(PromQueryFormat.TimeSeries)
    .expr(expr)
    .legendFormat(legend);
}
