import { distributions } from './distributions.ts';
import { unusedExports } from './exported-names.ts';
import { importCycles } from './import-graph.ts';
import type { Measure } from './measure.ts';
import { retiredNames } from './retired-uses.ts';
import { foldersBySize, mapFolders, mapRooms } from './rooms.ts';
import { baseNameOf, type ParsedFile, type SourceTree } from './source-tree.ts';

/** The longest file that is counted as a small one, in lines. */
const SMALL_FILE_LINES = 30;

/** About as many files as one can keep apart side by side. */
const MANY_FILES = 12;

/** All figures about a checkout, in the order of the table. */
export function measure({ product, surroundings, doors }: SourceTree): readonly Measure[] {
  const all = [...product, ...surroundings];
  return [
    ...measureFolders(product),
    ...measureFiles(product),
    ...measureNames(product, surroundings, doors),
    ...measureImports(product, all),
    ...measureRooms(product),
    ...measureRetired(product, surroundings),
    ...distributions(product),
  ];
}

function measureFolders(product: readonly ParsedFile[]): readonly Measure[] {
  const folders = foldersBySize(product);
  const lines = folders.map(({ folder, files }) => `${folder}: ${files} files`);
  const many = folders.filter(({ files }) => files > MANY_FILES).length;
  const advice = 'Give the files of one idea a folder of their own, named by a noun of the domain.';
  return [
    { key: 'largestFolder', title: 'files in the largest folder', value: folders[0]?.files ?? 0 },
    { key: 'fullFolders', title: `folders of more than ${MANY_FILES} files`, value: many },
  ].map((each) => ({ ...each, findings: lines.slice(0, many), advice }));
}

function measureFiles(product: readonly ParsedFile[]): readonly Measure[] {
  const importers = countImporters(product);
  const lone = product.filter(
    ({ path }) => baseNameOf(path) !== 'index' && importers.get(path)?.length === 1,
  );
  const small = product.filter(({ lines }) => lines <= SMALL_FILE_LINES);
  const parts = [
    { suffix: '', label: 'src, exporters', isIn: (path: string) => !path.startsWith('dashboards/') },
    { suffix: 'OfDashboards', label: 'dashboards', isIn: (path: string) => path.startsWith('dashboards/') },
  ];
  return parts.flatMap(({ suffix, label, isIn }) => {
    const loneHere = lone.filter(({ path }) => isIn(path));
    const smallHere = small.filter(({ path }) => isIn(path));
    return [
      {
        key: `oneImporter${suffix}`,
        title: `files with exactly one importer: ${label}`,
        value: loneHere.length,
        findings: loneHere.map(({ path }) => `${path} ← ${importers.get(path)?.[0] ?? ''}`),
        advice: 'Fold a file into its one importer, unless it holds something worth a name of its own.',
      },
      {
        key: `smallFiles${suffix}`,
        title: `files of ${SMALL_FILE_LINES} lines or less: ${label}`,
        value: smallHere.length,
        findings: smallHere.map(({ path, lines }) => `${path}: ${lines} lines`),
        advice: 'Fold a small file into the neighbour that it belongs to.',
      },
    ];
  });
}

function countImporters(files: readonly ParsedFile[]): ReadonlyMap<string, readonly string[]> {
  const importers = new Map<string, string[]>(files.map(({ path }) => [path, []]));
  for (const { path, imports } of files)
    for (const target of imports) if (target !== path) importers.get(target)?.push(path);
  return importers;
}

function measureNames(
  product: readonly ParsedFile[],
  surroundings: readonly ParsedFile[],
  doors: ReadonlySet<string>,
): readonly Measure[] {
  const scripts = surroundings.filter(({ path }) => path.startsWith('scripts/'));
  const unused = unusedExports(product, [...product, ...surroundings], doors);
  const proved = new Set(unused);
  const testOnly = unusedExports(product, [...product, ...scripts], doors).filter((it) => !proved.has(it));
  return [
    {
      key: 'unusedExports',
      title: 'names exported and imported nowhere',
      value: unused.length,
      findings: unused,
      advice: 'Remove the word export, and what nobody uses at all.',
    },
    {
      key: 'testOnlyExports',
      title: 'names exported for tests and benches alone',
      value: testOnly.length,
      findings: testOnly,
      advice: 'Let the tests go through what the product itself calls.',
    },
  ];
}

function measureImports(product: readonly ParsedFile[], all: readonly ParsedFile[]): readonly Measure[] {
  const cycles = importCycles(product).map((cycle) => cycle.join(' → '));
  const climbing = all.flatMap(({ path, specifiers }) =>
    specifiers.filter((specifier) => specifier.startsWith('../../')).map((it) => `${path}: ${it}`),
  );
  return [
    {
      key: 'importCycles',
      title: 'import cycles',
      value: cycles.length,
      findings: cycles,
      advice: 'Move what both sides need into a file that imports neither.',
    },
    {
      key: 'climbingImports',
      title: 'imports that begin with ../../ (whole tree)',
      value: climbing.length,
      findings: climbing,
      advice: 'Use a package import (#…) of the field imports in package.json.',
    },
  ];
}

function measureRooms(product: readonly ParsedFile[]): readonly Measure[] {
  const advice = 'Put what is new into a room that is there, or let fewer rooms import each other.';
  const folders = mapFolders(product);
  const houses = [
    { key: 'House', label: 'src, exporters', floors: ['src', 'exporters'] },
    { key: 'Postgres', label: 'exporters/postgres', floors: ['exporters/postgres'] },
    { key: 'Pipeline', label: 'src/pipeline', floors: ['src/pipeline'] },
  ];
  const shown = [
    { key: 'folders', title: 'folders with sources: product', findings: folders.rooms },
    { key: 'folderArrows', title: 'arrows between those folders', findings: folders.arrows },
  ].map((each) => ({ ...each, value: each.findings.length, advice }));
  const held = houses.flatMap(({ key, label, floors }) => {
    const { rooms, arrows } = mapRooms(product, floors);
    return [
      { key: `rooms${key}`, title: `rooms: ${label}`, value: rooms.length, findings: rooms, advice },
      { key: `arrows${key}`, title: `arrows: ${label}`, value: arrows.length, findings: arrows, advice },
    ];
  });
  return [...held, ...shown];
}

function measureRetired(
  product: readonly ParsedFile[],
  surroundings: readonly ParsedFile[],
): readonly Measure[] {
  const advice = 'Use the word of the right column in scripts/structure/retired-names.ts.';
  const parts = [
    { key: '', label: 'product', files: product },
    { key: 'OfSurroundings', label: 'tests, bench, scripts', files: surroundings },
  ];
  return parts.flatMap(({ key, label, files }) => {
    const { names, fileNames } = retiredNames(files);
    return [
      { key: `retiredNames${key}`, title: `retired names: ${label}`, findings: names },
      { key: `retiredFileNames${key}`, title: `retired file names: ${label}`, findings: fileNames },
    ].map((each) => ({ ...each, value: each.findings.length, advice }));
  });
}
