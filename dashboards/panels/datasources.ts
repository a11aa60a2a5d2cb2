import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

/** The three datasources, by the uids under which they are provisioned. */
export const DATASOURCES = {
  postgres: { type: 'grafana-postgresql-datasource', uid: 'barograph-postgres' },
  prometheus: { type: 'prometheus', uid: 'barograph-prometheus' },
  jaeger: { type: 'jaeger', uid: 'barograph-jaeger' },
} as const satisfies Record<string, DataSourceRef>;
