import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scoreCommand } from '#commands/score/score';
import { isoAfterInit } from '#test/pipeline/support/tiny-world';
import { temporaryFolder } from '#test/support/temporary-folder';
import { invoke } from '../support/invoke.ts';
import { TINY_LEADS, writeTinyStore } from '../support/tiny-stores.ts';

/** A truth and a forecast that errs, the options that name them. */
async function twoStores(): Promise<string[]> {
  const folder = await temporaryFolder();
  const truth = await writeTinyStore(join(folder, 'truth.zarr'), {});
  const forecast = await writeTinyStore(join(folder, 'forecast.zarr'), { error: 0.2, phase: 3 });
  return ['--truth', truth, '--forecast', forecast];
}

/** ISO text to the second, as it is printed. */
const isoSeconds = (hours: number): string => isoAfterInit(hours).replace('.000Z', 'Z');

describe('barograph score', () => {
  it('one row is printed for each time, variable and level that both stores have', async () => {
    const { exitCode, stdout } = await invoke(scoreCommand(), [...(await twoStores()), '--json']);
    expect(exitCode).toBe(0);
    const rows = JSON.parse(stdout) as readonly Record<string, unknown>[];
    expect(rows).toHaveLength(TINY_LEADS.length * 5);
    expect(rows[0]).toMatchObject({ variable: '2t', valid_time_utc: isoSeconds(12) });
    expect(rows.every(({ rmse }) => Number(rmse) > 0)).toBe(true);
  });

  it('scores without a baseline are empty, and leads are counted only from a given T0', async () => {
    const stores = await twoStores();
    const words = await invoke(scoreCommand(), stores);
    expect(words.stdout).toMatch(/^field +rmse +mae +bias +acc/);
    expect(words.stdout).toMatch(new RegExp(`^${isoSeconds(12)}\n2t .* – +100%$`, 'm'));
    const counted = await invoke(scoreCommand(), [...stores, '--lead-from', isoSeconds(0), '--json']);
    const rows = JSON.parse(counted.stdout) as readonly Record<string, unknown>[];
    expect([...new Set(rows.map(({ lead_hours: lead }) => lead))]).toEqual(TINY_LEADS);
    expect(rows[0]).toMatchObject({ skill_score_gfs: null, skill_score_climatology: null, acc: null });
  });

  it('a damaged field has a row with the failed check, hides no other one, and the command fails', async () => {
    const stores = await twoStores();
    const [, , , forecast = ''] = stores;
    await writeFile(join(forecast, 'msl', '0.0.0'), 'damaged');
    const { exitCode, stdout, stderr } = await invoke(scoreCommand(), [...stores, '--json']);
    expect(exitCode).toBe(1);
    const rows = JSON.parse(stdout) as readonly Record<string, unknown>[];
    expect(rows).toHaveLength(TINY_LEADS.length * 5);
    const [bad, ...others] = rows.filter((row) => row['failed_check'] !== undefined);
    expect(others).toEqual([]);
    expect(bad).toMatchObject({ variable: 'msl', rmse: null, failed_check: 'unreadable' });
    expect(stderr).toContain(
      `1 of ${rows.length} fields of the forecast could not be read; the first of them: ${String(bad?.['reason'])}`,
    );
    const words = await invoke(scoreCommand(), stores);
    expect(words.stdout).toMatch(/^.*msl .*–  unreadable$/m);
  });

  it('the table fits a terminal of 80 columns, with every score known', async () => {
    const stores = await twoStores();
    const [, truth = ''] = stores;
    const baseline = await writeTinyStore(`${truth}-baseline`, { error: -1.4, phase: 2 });
    const all = [...stores, '--reference', baseline, '--climatology', baseline, '--lead-from', isoSeconds(0)];
    const { stdout, stderr, exitCode } = await invoke(scoreCommand(), all);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines).toContain(`${isoSeconds(12)}, lead 12 h`);
    expect(stdout).toContain('gfs*');
  });

  it('CSV has one header, every column in every case, and empty cells for what is unknown', async () => {
    const stores = await twoStores();
    const { stdout } = await invoke(scoreCommand(), [...stores, '--format', 'csv', '--variables', 't2m']);
    const [header = '', ...rows] = stdout.trimEnd().split('\n');
    expect(header).toMatch(
      /^convention,lead_hours,valid_time_utc,variable,pressure_level,mse,.*,failed_check,reason$/,
    );
    expect(rows).toHaveLength(TINY_LEADS.length);
    for (const row of rows) expect(row.split(',')).toHaveLength(header.split(',').length);
    expect(rows[0]).toMatch(new RegExp(`^,,${isoSeconds(12)},2t,,[0-9.e-]+,.*,,,,,1,,,$`));
  });

  it('--verbose prints the bytes that were read, fewer for fewer fields, and leaves standard output as it is', async () => {
    const stores = await twoStores();
    const bytesOf = async (...more: readonly string[]) => {
      const { stdout, stderr } = await invoke(scoreCommand(), [...stores, '--json', '--verbose', ...more]);
      expect(Array.isArray(JSON.parse(stdout))).toBe(true);
      const [, all = '', forecast = '', truth = ''] =
        /^Bytes read: (\d+) \(forecast (\d+), truth (\d+)\)\.$/m.exec(stderr) ?? [];
      expect(Number(all)).toBe(Number(forecast) + Number(truth));
      return Number(all);
    };
    expect(await bytesOf('--variables', '2t')).toBeLessThan(await bytesOf());
  });

  it.each([
    ['--variables', 'rain', 'Allowed: 2t, '],
    ['--levels', '850,low', 'Allowed: levels in hPa'],
    ['--region', '10,20,30', 'Allowed: lat0,lat1,lon0,lon1 in degrees'],
    ['--region', '95,20,30,40', 'Allowed: lat0,lat1,lon0,lon1 in degrees'],
    ['--min-coverage', '80', 'Allowed: a share from 0 to 1'],
    ['--convention', 'wmo', 'barograph, gaia, weatherbench2'],
    ['--format', 'xml', 'table, json, csv'],
  ])('%s %s is refused with what is allowed, before a store is opened', async (option, value, allowed) => {
    const stores = ['--forecast', 'nowhere.zarr', '--truth', 'nowhere.zarr'];
    const ended = await invoke(scoreCommand(), [...stores, option, value]);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toContain(allowed);
    expect(ended.stderr).not.toContain('nowhere');
  });

  it('the option of a store that cannot be read is named', async () => {
    const [, , ...forecast] = await twoStores();
    const ended = await invoke(scoreCommand(), ['--truth', 'nowhere.zarr', ...forecast, '--json']);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^--truth cannot be read as a Zarr store: /);
  });

  it.each([
    ['a directory that is not there', 'nowhere.zarr', / No directory nowhere\.zarr can be read\.$/],
    ['a bucket', 'gs://some/store.zarr', / gs:\/\/ is neither: gs:\/\/BUCKET\/PATH is https:\/\/storage\./],
    ['the folder of stores', '.', / holds forecast\.zarr, truth\.zarr: name one store\.$/],
  ])('%s in the place of a store is answered with what to name', async (_case, location, advice) => {
    const [, truth = '', ...forecast] = await twoStores();
    const place = location === '.' ? dirname(truth) : location;
    const ended = await invoke(scoreCommand(), ['--truth', place, ...forecast]);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr.trim()).toMatch(advice);
  });
});
