import { Counter, Gauge, Histogram, Registry, type Metric, type OpenMetricsContentType } from 'prom-client';
import type {
  CounterDefinition,
  GaugeDefinition,
  HistogramDefinition,
  MetricDefinition,
} from '#semconv/metric-definition';
import type { LabelName } from '#semconv/metric-labels';
import { joinLines, type Labels } from './sample-line.ts';

/** The exposition formats: classic text 0.0.4, and OpenMetrics 1.0, which carries exemplars. */
export type TextFormat = 'classic' | 'openmetrics';

/** One value of a derived metric, read at scrape time. */
export interface Sample<Label extends LabelName = LabelName> {
  readonly labels: Labels<Label>;
  readonly value: number;
}

/** Links an observation to its trace; name and value characters together at most 128. */
export type ExemplarLabels = Readonly<Record<string, string>>;

/** A counter with state in this process. */
export interface CountedMetric<Label extends LabelName> {
  add(labels: Readonly<Record<Label, string>>, by?: number): void;
}

/** A histogram with state in this process. */
export interface ObservedMetric<Label extends LabelName> {
  observe(value: number, labels: Readonly<Record<Label, string>>, exemplar?: ExemplarLabels): void;
}

/** All metrics of one exporter. A facade: no other module depends on the metrics library. */
export interface MetricRegistry {
  counter<Label extends LabelName>(definition: CounterDefinition<Label>): CountedMetric<Label>;
  histogram<Label extends LabelName>(definition: HistogramDefinition<Label>): ObservedMetric<Label>;
  /**
   * A metric whose samples are read at every scrape. Samples with equal labels are summed for a counter; for a gauge the
   * last one wins. A value that is not finite (or, for a counter, negative) has no series.
   */
  derived<Label extends LabelName>(
    definition: CounterDefinition<Label> | GaugeDefinition<Label>,
    read: () => Iterable<Sample<Label>>,
  ): void;
  /** A metric whose lines (`sampleLine`) the caller caches as text: a scrape only joins them. */
  text(definition: CounterDefinition | GaugeDefinition, read: () => string): void;
  render(format: TextFormat): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The names of a metric in both formats, and its cached lines, which the library does not hold. */
interface Family {
  readonly names: Readonly<Record<TextFormat, string>>;
  readonly readLines: () => string;
}

/** An empty registry; there is no global one. */
export function createRegistry(): MetricRegistry {
  const registries = { classic: new Registry(), openmetrics: new Registry<OpenMetricsContentType>() };
  registries.openmetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const families: Family[] = [];
  const register = (metric: Metric, { name }: MetricDefinition, readLines = () => ''): void => {
    // OpenMetrics keeps `_total` for the lines of a counter.
    const names = {
      classic: name,
      openmetrics: metric instanceof Counter ? name.replace(/_total$/, '') : name,
    };
    registries.classic.registerMetric(viewOf(metric, names.classic));
    registries.openmetrics.registerMetric(viewOf(metric, names.openmetrics));
    families.push({ names, readLines });
  };
  return {
    counter: (definition) => {
      const metric = new Counter(configOf(definition));
      register(metric, definition);
      return { add: (labels, by = 1) => metric.inc({ ...labels }, by) };
    },
    histogram: (definition) => {
      const config = { ...configOf(definition), buckets: [...definition.buckets], enableExemplars: true };
      const metric = new Histogram(config);
      register(metric, definition);
      return {
        observe: (value, labels, exemplarLabels) =>
          metric.observe({ value, labels: { ...labels }, ...(exemplarLabels && { exemplarLabels }) }),
      };
    },
    derived: (definition, read) => register(derivedMetric(definition, read), definition),
    text: (definition, read) =>
      register(
        derivedMetric(definition, () => []),
        definition,
        read,
      ),
    render: async (format) => ({
      contentType: registries[format].contentType,
      body: await renderFamilies(registries[format], families, format),
    }),
  };
}

/** As `Registry.metrics`, with the cached lines below the HELP and TYPE lines that the library writes. */
async function renderFamilies(
  registry: Pick<Registry, 'getSingleMetricAsString'>,
  families: readonly Family[],
  format: TextFormat,
): Promise<string> {
  const texts = await Promise.all(
    families.map(async ({ names, readLines }) =>
      joinLines([await registry.getSingleMetricAsString(names[format]), readLines()]),
    ),
  );
  return format === 'classic' ? `${texts.join('\n\n')}\n` : `${texts.join('\n')}\n# EOF\n`;
}

/** Metrics are registered through views only, so none is registered on construction. */
function configOf(definition: CounterDefinition | GaugeDefinition | HistogramDefinition) {
  return {
    name: definition.name,
    help: definition.help,
    labelNames: [...definition.labels],
    registers: [],
  };
}

function derivedMetric(
  definition: CounterDefinition | GaugeDefinition,
  read: () => Iterable<Sample>,
): Counter | Gauge {
  if (definition.type === 'counter') {
    const counter = new Counter({
      ...configOf(definition),
      collect: () => {
        counter.reset();
        for (const { labels, value } of read()) {
          if (Number.isFinite(value) && value >= 0) counter.inc(labels, value);
        }
      },
    });
    return counter;
  }
  const gauge = new Gauge({
    ...configOf(definition),
    collect: () => {
      // reset() sets an unlabelled gauge to 0, which is a value; remove() makes it absent.
      gauge.reset();
      gauge.remove({});
      for (const { labels, value } of read()) if (Number.isFinite(value)) gauge.set(labels, value);
    },
  });
  return gauge;
}

/** A view of a metric under another name, since the two formats name a counter differently. */
function viewOf(metric: Metric, name: string): Metric {
  const view = Object.create(metric, { name: { value: name } }) as Metric;
  if (!(metric instanceof Histogram)) return view;
  return Object.defineProperties(view, {
    getForPromString: { value: undefined },
    get: { value: () => withCanonicalBounds(metric) },
  });
}

/** Canonical OpenMetrics bounds, `1.0` and not `1`, in both formats: the series must not depend on the format. */
async function withCanonicalBounds(metric: Histogram) {
  const family = await metric.get();
  const values = family.values.map((entry) => {
    const bound = entry.labels['le'];
    if (typeof bound !== 'number' || !Number.isInteger(bound)) return entry;
    return { ...entry, labels: { ...entry.labels, le: bound.toFixed(1) } };
  });
  return { ...family, values };
}
