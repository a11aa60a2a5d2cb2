import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const GENERATED = join(import.meta.dirname, '..', '..', '..', 'dashboards', 'generated');

/** A link of a dashboard to a trace, as Grafana would fill it in. */
export interface TraceLink {
  readonly dashboard: string;
  readonly url: string;
}

function urlsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(urlsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'url' && typeof inner === 'string' ? [inner] : urlsIn(inner),
  );
}

/** Every link to a trace in the generated dashboards, once for each template; none before they are generated. */
export function readTraceLinks(): readonly TraceLink[] {
  if (!existsSync(GENERATED)) return [];
  const files = readdirSync(GENERATED).filter((name) => name.endsWith('.json'));
  return files.flatMap((dashboard) => {
    const urls = urlsIn(JSON.parse(readFileSync(join(GENERATED, dashboard), 'utf8')));
    const ofTraces = new Set(urls.filter((url) => url.includes('/trace/')));
    return [...ofTraces].map((url) => ({ dashboard, url }));
  });
}

/**
 * Fills a template in as Grafana does: `${name}`, `${__data.fields.name}` and `${__data.fields["name"]}`, with or without
 * a format.
 *
 * @throws when it names a value that is not given
 */
export function fillIn(template: string, values: Readonly<Record<string, string | null>>): string {
  return template.replaceAll(/\$\{([^}]+)\}/g, (_, expression: string) => {
    const name = expression
      .replace(/:[a-z]+$/, '')
      .replace(/^__data\.fields(?:\.|\[["'])/, '')
      .replace(/["']\]$/, '');
    const value = values[name];
    if (value === undefined || value === null)
      throw new Error(`${template} names ${name}, which a row lacks`);
    return value;
  });
}

/** Fills in a pattern of Jaeger's pages: `#{name}` is a tag of the span, encoded for a URL. */
export function fillInPattern(pattern: string, tags: Readonly<Record<string, string>>): string {
  return pattern.replaceAll(/#\{([^}]+)\}/g, (_, name: string) => {
    const value = tags[name];
    if (value === undefined) throw new Error(`${pattern} names ${name}, which the span does not have`);
    return encodeURIComponent(value);
  });
}
