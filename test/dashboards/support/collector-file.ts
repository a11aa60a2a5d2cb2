import { z } from 'zod';

const components = z.record(z.string(), z.unknown());
const names = z.array(z.string());

/** A configuration of the Collector, and of Jaeger 2, which is one too. */
export const collectorFile = z.strictObject({
  extensions: components,
  receivers: components,
  processors: components,
  exporters: components,
  service: z.strictObject({
    extensions: names,
    pipelines: z.record(
      z.string(),
      z.strictObject({ receivers: names, processors: names, exporters: names }),
    ),
    telemetry: z.unknown(),
  }),
});

const KINDS = ['receivers', 'processors', 'exporters'] as const;

/** Components that are named and not defined, and those that are defined and named nowhere. */
export function strayComponents(file: z.output<typeof collectorFile>): readonly string[] {
  const pipelines = Object.values(file.service.pipelines);
  const used = {
    extensions: file.service.extensions,
    receivers: pipelines.flatMap(({ receivers }) => receivers),
    processors: pipelines.flatMap(({ processors }) => processors),
    exporters: pipelines.flatMap(({ exporters }) => exporters),
  };
  return (['extensions', ...KINDS] as const).flatMap((kind) => {
    const defined = Object.keys(file[kind]);
    return [
      ...used[kind]
        .filter((name) => !defined.includes(name))
        .map((name) => `${kind}: ${name} is not defined`),
      ...defined.filter((name) => !used[kind].includes(name)).map((name) => `${kind}: ${name} is not used`),
    ];
  });
}

/** The variables of the environment that a text names, as `${env:NAME}` or `${env:NAME:-default}`, with the default. */
export function environmentOf(text: string): ReadonlyMap<string, string | null> {
  const found = text.matchAll(/\$\{env:([A-Z_]+)(?::-([^}]*))?\}/g);
  return new Map([...found].map(([, name = '', fallback]) => [name, fallback ?? null]));
}
