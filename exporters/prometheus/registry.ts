import { Counter, Gauge, Histogram, Registry, type Metric, type OpenMetricsContentType } from 'prom-client';
import type {
  CounterDefinition,
  GaugeDefinition,
  HistogramDefinition,
  MetricDefinition,
} from '#semconv/metric-definition';
import type { LabelName } from '#semconv/metric-labels';
import { joinLines, type Labels } from './sample-line.ts';

/** The two texts that a scraper can ask for: classic 0.0.4, and OpenMetrics 1.0, which carries exemplars. */
export type TextFormat = 'classic' | 'openmetrics';

/** One value of a metric that is read when it is scraped. */
export interface Sample<Label extends LabelName = LabelName> {
  readonly labels: Labels<Label>;
  readonly value: number;
}

/** Links an observation to its trace; name and value characters together at most 128. */
export type ExemplarLabels = Readonly<Record<string, string>>;

/** A counter that this process counts itself. */
export interface CountedMetric<Label extends LabelName> {
  add(labels: Readonly<Record<Label, string>>, by?: number): void;
}

/** A distribution that this process observes itself. */
export interface ObservedMetric<Label extends LabelName> {
  observe(value: number, labels: Readonly<Record<Label, string>>, exemplar?: ExemplarLabels): void;
}

/** All metrics of one exporter. No other module knows which metrics library stands behind it. */
export interface MetricRegistry {
  counter<Label extends LabelName>(definition: CounterDefinition<Label>): CountedMetric<Label>;
  histogram<Label extends LabelName>(definition: HistogramDefinition<Label>): ObservedMetric<Label>;
  /**
   * A metric whose samples are read anew by every scrape. Samples of a counter with equal labels are added, of a gauge
   * the last one counts; a value that is not finite (or, of a counter, negative) has no series.
   */
  derived<Label extends LabelName>(
    definition: CounterDefinition<Label> | GaugeDefinition<Label>,
    read: () => Iterable<Sample<Label>>,
  ): void;
  /** A metric whose lines, `sampleLine` each, are kept as text by someone else: a scrape only puts them together. */
  text(definition: CounterDefinition | GaugeDefinition, read: () => string): void;
  render(format: TextFormat): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The names under which a metric stands in the two texts, and its lines where the library does not know them. */
interface Family {
  readonly names: Readonly<Record<TextFormat, string>>;
  readonly readLines: () => string;
}

/** A registry with nothing in it; there is no global one. */
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

/** What `Registry.metrics` gives, with the lines of others below the heads that the library writes. */
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

/** Metrics join their registries through views, so none of them is registered where it is made. */
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
      // An unlabelled gauge would come back from reset() as 0, which is a value; a removed one is absent.
      gauge.reset();
      gauge.remove({});
      for (const { labels, value } of read()) if (Number.isFinite(value)) gauge.set(labels, value);
    },
  });
  return gauge;
}

/** A view of a metric with a name of its own, since the two texts call a counter differently. */
function viewOf(metric: Metric, name: string): Metric {
  const view = Object.create(metric, { name: { value: name } }) as Metric;
  if (!(metric instanceof Histogram)) return view;
  return Object.defineProperties(view, {
    getForPromString: { value: undefined },
    get: { value: () => withCanonicalBounds(metric) },
  });
}

/** Bounds as OpenMetrics wants them, `1.0` and not `1`, in both texts: the series must not depend on the format. */
async function withCanonicalBounds(metric: Histogram) {
  const family = await metric.get();
  const values = family.values.map((entry) => {
    const bound = entry.labels['le'];
    if (typeof bound !== 'number' || !Number.isInteger(bound)) return entry;
    return { ...entry, labels: { ...entry.labels, le: bound.toFixed(1) } };
  });
  return { ...family, values };
}
