import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { createPostgresExporter } from '#postgres/exporter';
import { spoolRoot } from '#recorder/process-spool';
import { ATTRIBUTES } from '#semconv';
import { Spool } from '#spool/spool';
import { recordEverything } from '#test/dashboards/support/recorded';
import { EMITTER, spanOf } from '#test/exporters/spool/support/spool-bench';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan } from '#test/support/spans';
import { COMMANDS, type as typeLine } from './support/commands-of-program.ts';

/** ESC, BEL, a backspace, CR LF, a C1 control, a bidi override, an isolate, a zero-width space, a separator of lines. */
const HOSTILE = ' \u001b[2J\u0007\b\r\nFORGED: all is well\u009b31m\u202e\u2066\u200b\u2028FORGED\u{e0041}';
/** What a terminal obeys, or does not show. */
const OBEYED =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

/** Commands that print nothing of what others recorded, each with the reason. */
const PRINT_NOTHING_OF_OTHERS: Readonly<Record<string, string>> = {
  run: 'its report is tried by itself below, and its progress names its own validator',
  work: 'names its own validator and files',
  record: 'names its own addresses; its warnings go the way that dedupeWarnings describes',
  score: 'names its own files; its table goes the way of every table',
  migrate: 'names migrations and partitions',
};

const QUESTIONS = [
  'explain --run 1 --miner 7 --validator 1',
  'explain --run 4 --miner 7 --validator 1',
  'explain --run 5 --miner 8 --validator 2',
  'explain --run 1 --miner 7',
  'explain --run 1 --miner nobody',
  'explain --run 1 --miner 7 --validator 5',
  'reconcile',
  'reconcile --run 99',
  'rebuild --run 1 --validator 1',
  'rebuild --run 99 --validator 1',
  'verify-scores --run 1 --miner 7 --validator 1',
  'verify-scores --run 99 --miner 7 --validator 1',
  'sweep --older-than 1m',
  'sweep --older-than 1m --instance nobody',
  'dead-letters list',
  'dead-letters replay',
  'dead-letters list --validator 9',
  'dead-letters drop --run 5 --validator 1',
  'doctor',
  'spools list',
  'spools inspect FOLDER',
  'spools replay FOLDER',
  'spools drop FOLDER',
  'spools drop FOLDER --yes',
];

const isFreeText = (name: string): boolean => {
  const definition = (ATTRIBUTES as Readonly<Record<string, { readonly type: string }>>)[name];
  return definition === undefined || definition.type === 'string' || definition.type === 'string (JSON)';
};

const spoiled = (attributes: ObservedSpan['attributes']): ObservedSpan['attributes'] =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) =>
      typeof value === 'string' &&
      isFreeText(name) &&
      !/(substep|stage|_time|score_type|failed_check|decision|level)$/.test(name)
        ? [name, `${value}${HOSTILE}`]
        : [name, value],
    ),
  );

/** The same span, with hostile text in every field that a sender chooses freely. */
const spoil = (span: ObservedSpan): ObservedSpan => ({
  ...span,
  name: `${span.name}${HOSTILE}`,
  statusMessage: `${span.statusMessage ?? ''}${HOSTILE}`,
  attributes: spoiled(span.attributes),
  events: span.events.map((event) => ({ ...event, attributes: spoiled(event.attributes) })),
  resource: spoiled(span.resource),
});

let database: TestDatabase;
let environment: Readonly<Record<string, string>>;
let dataDirectory: string;
let folder: string;

/** A spool whose process named itself and its validator in hostile words. */
async function leaveSpool(): Promise<void> {
  dataDirectory = await mkdtemp(join(tmpdir(), 'barograph-test-'));
  const { connectionString } = database;
  folder = join(
    spoolRoot({ config: { dataDirectory }, database: { connectionString, kind: 'given' } }),
    'one',
  );
  mkdirSync(folder, { recursive: true });
  const emitter = {
    validatorHotkey: `${EMITTER.validatorHotkey}${HOSTILE}`,
    instanceId: `${EMITTER.instanceId}${HOSTILE}`,
  };
  const listener = { dropped: () => undefined, added: () => undefined };
  const spool = new Spool({
    directory: folder,
    emitter,
    segmentBytes: 2000,
    limitBytes: 1_000_000,
    durability: 'system',
    listener,
  });
  spool.push(spanOf(1), 0);
  spool.close();
  environment = { DATABASE_URL: connectionString, BAROGRAPH_DATA_DIR: dataDirectory };
}

beforeAll(async () => {
  database = await createTestDatabase();
  for (const hotkey of ['5Validator', '5Valiant'])
    await recordEverything(database, { validatorHotkey: `${hotkey}${HOSTILE}`, span: spoil, more: [] });
  await createPostgresExporter({ pool: database.pool }).writeDeadLetter(
    endedSpan({ step: 'query', at: 5 }),
    new Error(HOSTILE),
  );
  await database.pool.query(`update emitters set heartbeat_at = '2020-01-01'`);
  await database.pool.query(
    `update weather_forecast_stats set era5_combined_score = 9, last_error_message = $1 where run_id = 2`,
    [HOSTILE],
  );
  await leaveSpool();
});
afterAll(async () => {
  await database.drop();
  await rm(dataDirectory, { recursive: true, force: true });
});

describe('Every command of the program, on a record whose senders chose hostile texts', () => {
  it('a command is asked below, or prints nothing that others chose', () => {
    const asked = [...COMMANDS.keys()].filter((line) =>
      QUESTIONS.some((question) => question === line || question.startsWith(`${line} `)),
    );
    expect([...COMMANDS.keys()].sort()).toEqual([...asked, ...Object.keys(PRINT_NOTHING_OF_OTHERS)].sort());
  });

  it.each([
    'explain --run 1 --miner 7 --validator 1',
    'reconcile',
    'doctor',
    'dead-letters list',
    'spools inspect FOLDER',
  ])(
    '%s shows the escapes of what it makes harmless, so that a person sees that something was there',
    async (question) => {
      const { stdout } = await typeLine(question.replace('FOLDER', folder), environment);
      expect(stdout).toContain('\\u001b[2J');
    },
  );

  it.each(QUESTIONS.flatMap((question) => [`${question} --json`, question]))(
    '%s prints no character that a terminal obeys or hides, and no line that a sender wrote',
    async (question) => {
      if (question === 'spools drop FOLDER --yes --json') return;
      const { stdout, stderr } = await typeLine(question.replace('FOLDER', folder), environment);
      expect(`${stdout}${stderr}`).not.toBe('');
      expect(stdout).not.toMatch(OBEYED);
      expect(stderr).not.toMatch(OBEYED);
      expect(`${stdout}${stderr}`).not.toMatch(/^ *FORGED/m);
      if (question.endsWith('--json') && stdout !== '') JSON.parse(stdout);
    },
  );
});
