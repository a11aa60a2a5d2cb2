import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { METRICS } from '#semconv/metrics';
import { composeFile, mountsOf } from './support/compose-file.ts';
import { collectorFile, environmentOf, strayComponents } from './support/collector-file.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const yaml = (path: string): unknown => parse(read(path), { merge: true });

const COMPOSE = 'docker-compose.yml';
const { services, volumes } = composeFile.parse(yaml(COMPOSE));
const all = Object.entries(services);
const serviceOf = (name: string) => {
  const found = services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
};

const datasources = z
  .object({
    datasources: z.array(
      z.object({
        uid: z.string(),
        type: z.string(),
        url: z.string(),
        user: z.string().optional(),
        isDefault: z.boolean().default(false),
        secureJsonData: z.record(z.string(), z.string()).default({}),
        jsonData: z.looseObject({}),
      }),
    ),
  })
  .parse(yaml('dashboards/provisioning/datasources/barograph.yaml')).datasources;

describe('docker-compose.yml', () => {
  it('compose has the services that show what was recorded, and the one that records', () => {
    expect(Object.keys(services).sort()).toEqual([
      'barograph',
      'demonstration',
      'grafana',
      'jaeger',
      'otel-collector',
      'postgres',
      'prometheus',
    ]);
    expect(all.filter(([, { profiles }]) => profiles !== undefined).map(([name]) => name)).toEqual([
      'demonstration',
    ]);
  });

  it('each image is pinned to a version, and ours has the version of the package', () => {
    for (const [name, { image }] of all) expect(image, name).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')));
    for (const name of ['barograph', 'demonstration'])
      expect(serviceOf(name)).toMatchObject({ build: '.', image: `barograph:${version}` });
  });

  it('every mount exists in the repository and is read-only', () => {
    const ours = all.flatMap(([, it]) => mountsOf(it)).filter(({ source }) => source.startsWith('./'));
    expect(ours.length).toBeGreaterThan(5);
    expect(ours.filter(({ source }) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect(ours.filter(({ isReadOnly }) => !isReadOnly)).toEqual([]);
  });

  it('each declared volume is used, and each used volume is declared', () => {
    const used = all.flatMap(([, it]) => mountsOf(it)).map(({ source }) => source);
    const named = used.filter((source) => !source.startsWith('./'));
    expect(new Set(named)).toEqual(new Set(Object.keys(volumes)));
  });

  it('each port is published once, on the loopback address only', () => {
    const ports = all.flatMap(([, it]) => it.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    const published = ports.map((port) => port.split(':')[1]);
    expect(new Set(published).size).toBe(published.length);
  });

  it('compose needs exactly the secrets of .env.example, and has no default for any', () => {
    const text = read(COMPOSE);
    const required = [...text.matchAll(/\$\{([A-Z_]+):\?[^}]+\}/g)].map(([, name]) => name);
    const named = [...read('.env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)];
    expect(new Set(required)).toEqual(new Set(named.map(([, name]) => name)));
    expect(named.filter(([, , value]) => value !== '')).toEqual([]);
    expect([...text.matchAll(/\$\{/g)]).toHaveLength(required.length);
    expect(read('.gitignore').split('\n')).toContain('.env');
  });

  it('each secret is quoted, since an unquoted one might not be text', () => {
    const lines = read(COMPOSE)
      .split('\n')
      .filter((line) => line.includes('${'));
    for (const line of lines) expect(line).toMatch(/: '[^']*'$/);
  });

  it('services wait only for existing services with a health check', () => {
    const waits = all.flatMap(([name, { depends_on: on = {} }]) =>
      Object.entries(on).map(([target, { condition }]) => ({ name, target, condition })),
    );
    expect(waits.length).toBeGreaterThan(3);
    for (const { name, target, condition } of waits) {
      expect(services, `${name} → ${target}`).toHaveProperty(target);
      expect(condition).toBe('service_healthy');
      expect(serviceOf(target).healthcheck, `${name} → ${target}`).toBeDefined();
    }
  });

  it('every service has a health check, except the Collector, whose image has no shell', () => {
    const unchecked = all.filter(([, { healthcheck }]) => healthcheck === undefined).map(([name]) => name);
    expect(unchecked).toEqual(['otel-collector']);
    for (const name of ['barograph', 'demonstration'])
      expect(serviceOf(name).healthcheck?.test.join(' ')).toContain('/readyz');
    expect(serviceOf('otel-collector').ports).toContain('127.0.0.1:13133:13133');
  });

  it('Prometheus keeps exemplars and loads the rules, and Grafana gets the dashboards', () => {
    expect(serviceOf('prometheus').command).toContain('--enable-feature=exemplar-storage');
    const targetOf = (name: string) =>
      mountsOf(serviceOf(name)).find(({ source }) => source === './dashboards/generated')?.target;
    expect(targetOf('prometheus')).toBe('/etc/prometheus/rules');
    const { providers } = z
      .object({
        providers: z.array(z.object({ folder: z.string(), options: z.object({ path: z.string() }) })),
      })
      .parse(yaml('dashboards/provisioning/dashboards/barograph.yaml'));
    expect(providers).toMatchObject([{ folder: 'Barograph', options: { path: targetOf('grafana') } }]);
  });

  it('our own processes have no capability, and their spools are on volumes', () => {
    for (const name of ['barograph', 'demonstration']) {
      const it = serviceOf(name);
      expect(it).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
      expect(mountsOf(it).map(({ target }) => target)).toContain('/var/lib/barograph');
      expect(it.environment?.['DATABASE_URL']).toMatch(
        /^postgres:\/\/barograph:.*@postgres:5432\/barograph$/,
      );
    }
  });

  const compose = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
  const hasCompose = compose.status === 0;
  it.skipIf(!hasCompose)(
    'docker compose accepts the file, with and without the demonstration (skipped where it is not installed)',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'barograph-compose-'));
      try {
        const env = join(folder, 'env');
        writeFileSync(env, read('.env.example').replaceAll(/^([A-Z_]+)=$/gm, '$1=0123456789abcdef'));
        for (const profile of [[], ['--profile', 'demo']]) {
          const args = ['compose', '--env-file', env, '--file', COMPOSE, ...profile, 'config', '--quiet'];
          const { status, stderr } = spawnSync('docker', args, { cwd: ROOT, encoding: 'utf8' });
          expect([status, stderr]).toEqual([0, '']);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');
  const argumentsOf = (instruction: string): readonly string[] =>
    lines
      .filter((line) => line.startsWith(`${instruction} `))
      .map((line) => line.slice(instruction.length + 1));

  it('the image has two stages of one pinned base, and does not run as root', () => {
    const images = argumentsOf('FROM').map((text) => text.split(' ')[0]);
    expect(images).toHaveLength(2);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:\d+\.\d+\.\d+-[a-z]+-slim$/);
    expect(argumentsOf('USER')).toEqual(['node']);
  });

  it('every copied path exists and passes .dockerignore', () => {
    const copied = argumentsOf('COPY')
      .filter((text) => !text.startsWith('--from='))
      .flatMap((text) => text.split(' ').slice(0, -1));
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(new Set(copied)).toEqual(new Set(allowed));
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('the image has no development tools, checks /readyz, and starts programs that a build makes', () => {
    const text = lines.join('\n');
    expect(text).toContain('npm prune --ignore-scripts --omit=dev --omit=optional');
    expect(text).toMatch(/HEALTHCHECK[^]*\/readyz/);
    const programs = [text, read(COMPOSE)].flatMap((it) => [
      ...it.matchAll(/\/app\/dist\/(src\/[\w-]+)\.js/g),
    ]);
    expect(programs.map(([, path]) => path).sort()).toEqual(['src/cli', 'src/start-command']);
    for (const [, path = ''] of programs) expect(statSync(join(ROOT, `${path}.ts`)).isFile()).toBe(true);
  });
});

describe('Configuration of the Collector and of Jaeger', () => {
  const collector = collectorFile.parse(yaml('otel-collector.yaml'));
  const jaeger = collectorFile.parse(yaml('dashboards/jaeger.yaml'));

  it('every used component is defined, and every defined one is used', () => {
    expect(strayComponents(collector)).toEqual([]);
    expect(strayComponents(jaeger)).toEqual([]);
  });

  it('no exporter has a deprecated name', () => {
    const exporters = [...Object.keys(collector.exporters), ...Object.keys(jaeger.exporters)];
    expect(exporters.filter((name) => /^(otlp|otlphttp)(\/|$)/.test(name))).toEqual([]);
  });

  it('the memory limit comes first, and every sender needs the token', () => {
    for (const { processors } of Object.values(collector.service.pipelines))
      expect(processors[0]).toBe('memory_limiter');
    const auth = { auth: { authenticator: 'bearertokenauth' } };
    expect(collector.receivers).toMatchObject({ otlp: { protocols: { grpc: auth, http: auth } } });
  });

  it('unsent batches are kept on disk, and retried without a time limit', () => {
    expect(collector.exporters).toMatchObject({
      otlp_grpc: {
        retry_on_failure: { enabled: true, max_elapsed_time: '0s' },
        sending_queue: { enabled: true, storage: 'file_storage' },
      },
    });
  });

  it('the listen address defaults to the loopback address, and all but the token has a default', () => {
    for (const path of ['otel-collector.yaml', 'dashboards/jaeger.yaml']) {
      const found = environmentOf(read(path));
      const withoutDefault = [...found].filter(([, fallback]) => fallback === null).map(([name]) => name);
      expect(withoutDefault).toEqual(path === 'otel-collector.yaml' ? ['BAROGRAPH_COLLECTOR_TOKEN'] : []);
      for (const [name, fallback] of found) if (name.endsWith('_HOST')) expect(fallback).toBe('127.0.0.1');
      for (const [, endpoint = ''] of read(path).matchAll(/endpoint: (\S+)$/gm))
        expect(endpoint).toMatch(/^\$\{env:\w+(_HOST|_ENDPOINT):-127\.0\.0\.1/);
    }
  });

  it('compose sets only variables that the configuration reads', () => {
    for (const [name, path, prefix] of [
      ['otel-collector', 'otel-collector.yaml', 'BAROGRAPH_'],
      ['jaeger', 'dashboards/jaeger.yaml', 'JAEGER_'],
    ] as const) {
      const known = environmentOf(read(path));
      const variables = Object.keys(serviceOf(name).environment ?? {}).filter((it) => it.startsWith(prefix));
      expect(variables.filter((it) => !known.has(it))).toEqual([]);
      expect(variables.length).toBeGreaterThan(2);
    }
  });

  it('the server tests build it from the components that it names, all of one release', () => {
    const manifest = z
      .object({ dist: z.object({ version: z.string() }) })
      .catchall(z.array(z.object({ gomod: z.string() })))
      .parse(yaml('test/servers/collector-builder.yaml'));
    const { dist, ...modules } = manifest;
    const core = dist.version.split('.').slice(0, 2).join('.');
    const built = Object.entries(modules)
      .filter(([kind]) => kind !== 'providers')
      .flatMap(([, list]) => list as { gomod: string }[])
      .map(({ gomod }) => gomod);
    for (const gomod of built) expect(gomod).toContain(` v${core}.`);
    expect(serviceOf('otel-collector').image).toContain(`:${core}.`);
    const named = [
      ...Object.keys({ ...collector.receivers, ...collector.processors, ...collector.extensions }),
      'otlpexporter',
      // For the outages of the server tests.
      'otlphttpexporter',
    ];
    expect(built).toHaveLength(named.length);
  });
});

describe('Configuration of Prometheus', () => {
  const config = z
    .object({
      rule_files: z.array(z.string()),
      scrape_configs: z.array(
        z.object({
          job_name: z.string(),
          dns_sd_configs: z.array(z.object({ names: z.array(z.string()), port: z.number() })),
        }),
      ),
    })
    .parse(yaml('dashboards/prometheus.yml'));

  it('Prometheus loads the two generated rule files, and no generated file is left out', () => {
    const names = config.rule_files.map((path) => path.replace('/etc/prometheus/rules/', ''));
    expect(names.toSorted()).toEqual(['alerts.rules.yaml', 'recording.rules.yaml']);
    const found = readdirSync(join(ROOT, 'dashboards/generated')).filter((it) => it.endsWith('.rules.yaml'));
    expect(found.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('Prometheus scrapes services of compose, under the job names of rules and panels', () => {
    expect(config.scrape_configs.map(({ job_name: name }) => name)).toEqual(['barograph', 'otel-collector']);
    for (const { names } of config.scrape_configs.flatMap(({ dns_sd_configs: found }) => found))
      for (const name of names) expect(services).toHaveProperty([name]);
  });

  const promtool = spawnSync('promtool', ['--version']);
  it.skipIf(promtool.status !== 0)(
    'promtool accepts the configuration (skipped where it is not installed; Debian: apt-get install prometheus)',
    () => {
      const args = ['check', 'config', '--syntax-only', 'dashboards/prometheus.yml'];
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ROOT, encoding: 'utf8' });
      expect([status, `${stdout}${stderr}`]).toMatchObject([0, expect.stringContaining('SUCCESS')]);
    },
  );
});

describe('Provisioning of Grafana', () => {
  const byUid = new Map(datasources.map((it) => [it.uid, it]));

  it('the three datasources have the uids that panels and links name, and one is the default', () => {
    expect([...byUid.keys()].sort()).toEqual([
      'barograph-jaeger',
      'barograph-postgres',
      'barograph-prometheus',
    ]);
    expect(datasources.filter(({ isDefault }) => isDefault)).toHaveLength(1);
  });

  it('the datasources reach services of compose, and PostgreSQL with the read-only role', () => {
    for (const { url } of datasources) {
      const { hostname } = new URL(url.includes('://') ? url : `tcp://${url}`);
      expect(services).toHaveProperty([hostname]);
    }
    expect(byUid.get('barograph-postgres')).toMatchObject({
      type: 'grafana-postgresql-datasource',
      user: 'grafana_reader',
      secureJsonData: { password: '$GRAFANA_READER_PASSWORD' },
    });
    expect(serviceOf('grafana').environment).toHaveProperty('GRAFANA_READER_PASSWORD');
  });

  it('an exemplar links to its trace, and a span to metrics that exist', () => {
    expect(byUid.get('barograph-prometheus')?.jsonData['exemplarTraceIdDestinations']).toEqual([
      { name: 'trace_id', datasourceUid: 'barograph-jaeger' },
    ]);
    const { queries, tags, datasourceUid } = z
      .object({
        datasourceUid: z.string(),
        tags: z.array(z.object({ key: z.string(), value: z.string() })),
        queries: z.array(z.object({ query: z.string() })),
      })
      .parse(byUid.get('barograph-jaeger')?.jsonData['tracesToMetrics']);
    expect(byUid.has(datasourceUid)).toBe(true);
    const known = Object.values(METRICS).map(({ name }) => name);
    for (const { query } of queries) {
      const [, used = ''] = /(barograph_\w+?)(?:_bucket)?\{/.exec(query) ?? [];
      const metric = Object.values(METRICS).find(({ name }) => name === used);
      expect(known, query).toContain(used);
      for (const { value } of tags) expect(metric?.labels, query).toContain(value);
    }
  });

  it('each dollar that Grafana would take for an environment variable is escaped', () => {
    const text = read('dashboards/provisioning/datasources/barograph.yaml').replaceAll(/^#.*$/gm, '');
    const variables = [...text.matchAll(/(?<!\$)\$([A-Za-z_]\w*)/g)].map(([, name]) => name);
    expect(variables).toEqual(['GRAFANA_READER_PASSWORD']);
  });
});

describe('Links from traces to rows', () => {
  const { linkPatterns } = z
    .strictObject({
      linkPatterns: z.array(
        z.strictObject({ type: z.literal('tags'), key: z.string(), url: z.string(), text: z.string() }),
      ),
    })
    .parse(JSON.parse(read('dashboards/jaeger-ui.json')));

  it('run and miner of a trace link to their dashboards, by attributes that their spans have', () => {
    expect(linkPatterns.map(({ key, url }) => [key, new URL(url).pathname])).toEqual([
      ['weather.run.id', '/d/barograph-run'],
      ['weather.miner.hotkey', '/d/barograph-miner'],
    ]);
    for (const { url } of linkPatterns) {
      const named = [...url.matchAll(/#\{([^}]+)\}/g)].map(([, name]) => name);
      expect(['weather.validator.hotkey', 'weather.run.id', 'weather.miner.hotkey']).toEqual(
        expect.arrayContaining(named),
      );
      // Grafana finds the choice by its text as well as by its value; the text of a validator is its hotkey.
      expect(url).toContain('?var-validator=#{weather.validator.hotkey}&var-run=#{weather.run.id}');
      expect(new URL(url).origin).toBe('http://localhost:3000');
    }
  });
});
