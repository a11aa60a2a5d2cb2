/** A value of a field: a number, a text or, of a field of times, milliseconds since 1970. */
export type Value = number | string | null;

/** A column of an answer, or a line of a chart. */
export interface Field {
  readonly name: string;
  readonly type: 'time' | 'number' | 'string';
  readonly values: readonly Value[];
  /** What tells lines of the same name apart. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The name that the query gives to the line. */
  readonly legend?: string;
}

/** What one query gave. */
export interface Frame {
  readonly fields: readonly Field[];
}

/** Adds labels to the values of a long answer, one line for each text: what Grafana does to a time series of SQL. */
export function longToWide(frame: Frame): Frame {
  const time = frame.fields.find(({ type }) => type === 'time');
  const text = frame.fields.find(({ type }) => type === 'string');
  if (!time || !text) return frame;
  const times = [...new Set(time.values)];
  const names = [...new Set(text.values.map(String))];
  const numbers = frame.fields.filter(({ type }) => type === 'number');
  const lines = numbers.flatMap((field) =>
    names.map((name) => {
      const found = new Map(
        time.values.flatMap((at, row) =>
          text.values[row] === name ? [[at, field.values[row] ?? null] as const] : [],
        ),
      );
      return { ...field, labels: { [text.name]: name }, values: times.map((at) => found.get(at) ?? null) };
    }),
  );
  return { fields: [{ ...time, values: times }, ...lines] };
}

/** Splits an answer by the values of one of its columns, which becomes a label: the transformation of that name. */
export function partitionByValues({ fields }: Frame, name: string): readonly Frame[] {
  const keys = fields.find((field) => field.name === name)?.values.map(String) ?? [];
  return [...new Set(keys)].map((key) => {
    const rows = keys.flatMap((found, row) => (found === key ? [row] : []));
    const rest = fields.filter((field) => field.name !== name);
    return {
      fields: rest.map((field) => ({
        ...field,
        values: rows.map((row) => field.values[row] ?? null),
        ...(field.type === 'time' ? {} : { labels: { [name]: key } }),
      })),
    };
  });
}
