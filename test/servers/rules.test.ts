import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ALERTS } from '#dashboards/rules/alerts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { hasProgram, promtool, tellSkipped } from './support/programs.ts';
import { RULE_CASES } from './support/rule-cases.ts';
import { renderRuleTest } from './support/rule-test-file.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const RULE_FILES = ['recording', 'alerts'].map((name) =>
  join(ROOT, 'dashboards', 'generated', `${name}.rules.yaml`),
);
const CONFIGURATION = join(ROOT, 'dashboards', 'prometheus.yml');

const isThere = hasProgram('promtool');
if (!isThere) tellSkipped('the test of rules and alerts', 'promtool');

describe.skipIf(!isThere)('Rules in promtool', () => {
  let passed = 0;
  afterAll(() => {
    console.log(
      `rules: ${ALERTS.length} alerts in ${RULE_CASES.length} courses, ${RULE_CASES.length - passed} failing`,
    );
  });

  it('promtool accepts the rules', () => {
    const { code, output } = promtool(['check', 'rules', ...RULE_FILES]);
    expect(code, output).toBe(0);
    expect(output).toContain(`SUCCESS: ${ALERTS.length} rules found`);
  });

  it.skipIf(!existsSync(CONFIGURATION))('promtool accepts the configuration that loads the rules', () => {
    // The files lie elsewhere where that configuration is used, so only their names can be held against ours.
    const { code, output } = promtool(['check', 'config', '--syntax-only', CONFIGURATION]);
    expect(code, output).toBe(0);
    const { rule_files: named } = parse(readFileSync(CONFIGURATION, 'utf8')) as {
      rule_files: readonly string[];
    };
    expect(named.map((path) => basename(path)).sort()).toEqual(
      RULE_FILES.map((path) => basename(path)).sort(),
    );
  });

  it('every alert fires and resolves in some case', () => {
    for (const { alert } of ALERTS) {
      const cases = RULE_CASES.filter((it) => it.alert === alert);
      expect(cases.flatMap(({ firing }) => firing).length, `${alert} fires`).toBeGreaterThan(0);
      const resolves = cases.some(({ firing, quiet }) =>
        firing.some(({ at }) => quiet.some((instant) => minutes(instant) > minutes(at))),
      );
      expect(resolves, `${alert} resolves`).toBe(true);
      const isQuietBefore = cases.some(({ firing, quiet }) =>
        firing.some(({ at }) => quiet.some((instant) => minutes(instant) < minutes(at))),
      );
      expect(isQuietBefore, `${alert} waits`).toBe(true);
    }
  });

  it.each(RULE_CASES.map((ruleCase) => [ruleCase.alert, ruleCase.title, ruleCase] as const))(
    'promtool: %s %s',
    async (_alert, _title, ruleCase) => {
      const file = join(await temporaryFolder(), 'rules.test.yaml');
      await writeFile(file, renderRuleTest(ruleCase, RULE_FILES));
      const { code, output } = promtool(['test', 'rules', file]);
      expect(code, output).toBe(0);
      passed += 1;
    },
  );
});

const minutes = (duration: string): number => Number.parseInt(duration, 10);
