import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctorCommand } from '#commands/doctor/doctor';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { temporaryFolder } from '#test/support/temporary-folder';
import { invoke } from '../support/invoke.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('barograph doctor', () => {
  const doctor = (environment: Readonly<Record<string, string>> = {}, ...args: readonly string[]) =>
    invoke(doctorCommand(), args, { DATABASE_URL: database.connectionString, ...environment });

  it('a sound installation passes every check, and the database is named without its password', async () => {
    const { exitCode, stdout, stderr } = await doctor();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`at ${new URL(database.connectionString).host}/`);
    expect(stdout).not.toContain(new URL(database.connectionString).password);
    expect(stdout).not.toContain('NOT');
    expect(stdout).toMatch(/^ok +Retention +nothing is ever dropped/m);
  });

  it('limits of OpenTelemetry are named, though they do not cut what is recorded here', async () => {
    const { exitCode, stdout } = await doctor({ OTEL_SPAN_EVENT_COUNT_LIMIT: '8' });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^ok +OpenTelemetry +records; .*OTEL_SPAN_EVENT_COUNT_LIMIT=8: steps are recorded whole/m,
    );
  });

  it('the retention of the environment decides what is reported, and a database to be migrated has none', async () => {
    expect((await doctor({ BAROGRAPH_RETENTION_DAYS: '30' })).stdout).toMatch(
      /^ok +Retention +no partition/m,
    );
    const empty = await createTestDatabase({ isEmpty: true });
    const { stdout } = await doctor({ DATABASE_URL: empty.connectionString });
    await empty.drop();
    expect(stdout).toMatch(/^NOT +Migrations/m);
    expect(stdout).not.toContain('Retention');
  });

  it('the size of the spools is reported, and an unreadable spool fails the check by name', async () => {
    const directory = await temporaryFolder();
    const spool = join(directory, 'spool', 'somewhere');
    await mkdir(join(spool, 'instance-1'), { recursive: true });
    await writeFile(join(spool, 'instance-1', '0000000001.segment'), 'x'.repeat(2_500_000));
    expect((await doctor({ BAROGRAPH_DATA_DIR: directory })).stdout).toMatch(
      /^ok +Spools +1 below .*, 2\.4 MiB$/m,
    );
    await mkdir(join(spool, 'instance-2.unreadable'));
    const { exitCode, stdout } = await doctor({ BAROGRAPH_DATA_DIR: directory });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^NOT +Spools +1 below .*; records in .*instance-2\.unreadable cannot be read: see/m,
    );
  });

  it('each failed check names its own remedy', async () => {
    const { exitCode, stdout } = await doctor(
      { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:9/none', OTEL_SDK_DISABLED: 'true' },
      '--json',
    );
    expect(exitCode).toBe(1);
    const checks = JSON.parse(stdout) as readonly { name: string; ok: boolean; found: string }[];
    expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['PostgreSQL', 'OpenTelemetry']);
    expect(stdout).toMatch(/Start the server, or correct host and port/);
    expect(stdout).not.toContain('secret');
  });
});
