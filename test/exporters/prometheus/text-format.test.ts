import { describe, expect, it } from 'vitest';
import { negotiateFormat } from '#prometheus/text-format';

const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('negotiateFormat', () => {
  it.each([
    ['a scraper without a header', undefined, 'classic'],
    ['an empty header', '', 'classic'],
    ['a browser', 'text/html,application/xhtml+xml,*/*;q=0.8', 'classic'],
    ['curl', '*/*', 'classic'],
    ['Prometheus 2', PROMETHEUS_2, 'openmetrics'],
    ['Prometheus 3', PROMETHEUS_3, 'openmetrics'],
    ['a scraper that names no version', 'application/openmetrics-text', 'openmetrics'],
    ['upper case and spaces', 'Application/OpenMetrics-Text ; Version="1.0.0" ; Q=1', 'openmetrics'],
    ['an unsupported version', 'application/openmetrics-text;version=2.0.0', 'classic'],
    ['a scraper that prefers plain text', 'application/openmetrics-text;q=0.4,text/plain;q=0.5', 'classic'],
    ['a scraper without a preference', 'text/plain,application/openmetrics-text', 'openmetrics'],
    ['a scraper that refuses OpenMetrics', 'application/openmetrics-text;q=0,*/*', 'classic'],
    ['a weight that is no number', 'application/openmetrics-text;q=high', 'classic'],
    ['a weight above 1', 'application/openmetrics-text;q=7', 'classic'],
    ['nothing but separators', ',;,=;', 'classic'],
  ])('the format for %s is the negotiated one', (_, accept, format) => {
    expect(negotiateFormat(accept)).toBe(format);
  });
});
