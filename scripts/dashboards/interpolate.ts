/** The values of a dashboard's variables, and its time range. */
export interface DashboardChoice {
  readonly variables: Readonly<Record<string, string>>;
  readonly from: Date;
  readonly to: Date;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const withoutQuotes = (text: string): string => text.replaceAll("'", "''");

/** The variable formats that our queries use. */
const SQL_FORMATS: Readonly<Record<string, (value: string) => string>> = {
  '': withoutQuotes,
  sqlstring: quoted,
};

/** Interpolates variables into a text: `${name}` and `${name:format}`. */
function withVariables(
  text: string,
  variables: Readonly<Record<string, string>>,
  formats: Readonly<Record<string, (value: string) => string>>,
): string {
  return text.replaceAll(/\$\{(\w+)(?::(\w+))?\}/g, (_, name: string, format = '') => {
    const value = variables[name];
    if (value === undefined) throw new Error(`the variable ${name} is not of this dashboard`);
    const write = formats[format as string];
    if (write === undefined) throw new Error(`the format ${String(format)} is not known`);
    return write(value);
  });
}

/** A query as PostgreSQL gets it: variables by the browser, then macros by the server, as Grafana does both. */
export function interpolateSql(sql: string, { variables, from, to }: DashboardChoice): string {
  const macros: Readonly<Record<string, (argument: string) => string>> = {
    __timeFilter: (column) => `${column} BETWEEN '${from.toISOString()}' AND '${to.toISOString()}'`,
    __timeFrom: () => `'${from.toISOString()}'`,
    __timeTo: () => `'${to.toISOString()}'`,
  };
  return withVariables(sql, variables, SQL_FORMATS).replaceAll(
    /\$([_a-zA-Z0-9]+)\(([^)]*)\)/g,
    (_, name: string, argument: string) => {
      const macro = macros[name];
      if (macro === undefined) throw new Error(`the macro ${name} is not known`);
      return macro(argument.trim());
    },
  );
}

/** An expression as Prometheus gets it. */
export function interpolatePromql(expression: string, variables: Readonly<Record<string, string>>): string {
  const text = withVariables(expression, variables, { '': (value) => value.replaceAll('\\', '\\\\') });
  return text.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '6h');
}
