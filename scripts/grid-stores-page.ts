import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { FORECAST_DATA_TYPES } from '#grids/array-description';
import { DIMENSION_NAMES } from '#grids/axes';
import { CALENDARS } from '#grids/cf-time';
import { CODECS } from '#grids/codecs/codec-table';
import { VARIABLES } from '#semconv';
import { cell, code, table } from '#semconv/reference-page';
import { VARIABLE_NAMES } from '#semconv/variable-names';

/** A store of the corpus, as far as the page tells of it. */
interface CorpusCase {
  readonly group: string;
  readonly property: string;
  readonly format: number;
  readonly error?: string;
}

const CORPUS = new URL('../test/grids/corpus/stores.json.gz', import.meta.url);

const INTRODUCTION = `# Stores that are read

\`barograph score\`, \`run\` and \`work\` read Zarr stores of format 2 and 3 from a directory or over HTTP, as the programs of the
field write them. The rule: what xarray opens without options, in a standard calendar, is read and scored right; what is
ambiguous is refused with a message that names the option, the array, what was got and what to do. Generated from the tables
of the code and from the stores of \`test/grids/corpus\`, each of which the tests score against an independent computation.`;

const codes = (names: readonly string[]): string => names.map(code).join(' ');

const variables = (): string =>
  table(
    ['Variable', 'Names of the array', 'CF standard name', 'Unit', 'Converted'],
    VARIABLES.map((variable) => {
      const { aliases, standardName, unit, units } = VARIABLE_NAMES[variable];
      return [code(variable), codes(aliases), code(standardName), code(unit), codes(Object.keys(units))];
    }),
  );

const dimensions = (): string =>
  table(
    ['Dimension or scalar coordinate', 'Names'],
    Object.entries(DIMENSION_NAMES).map(([role, names]) => [code(role), codes(names)]),
  );

const codecs = (): string =>
  table(
    ['Codec or filter', 'What it does'],
    Object.entries(CODECS).map(([name, what]) => [code(name), cell(what)]),
  );

/** One line for each property, with the formats in which a store of the corpus has it. */
function properties(cases: readonly CorpusCase[]): string {
  const groups = [...new Set(cases.map(({ group }) => group))].sort();
  const rows = groups.flatMap((group) => {
    const ofGroup = cases.filter((one) => one.group === group);
    return [...new Set(ofGroup.map(({ property }) => property))].map((property) => {
      const same = ofGroup.filter((one) => one.property === property);
      const refused = same.find(({ error }) => error !== undefined)?.error;
      const formats = [...new Set(same.map(({ format }) => format))].sort().join(', ');
      return [
        group,
        cell(property),
        formats,
        refused === undefined ? 'read' : cell(`refused: … ${refused} …`),
      ];
    });
  });
  return table(['Group', 'Property', 'Formats', 'Held by the tests'], rows);
}

/** The layouts, names, types and codecs that are read, as Markdown. */
export function renderGridStores(): string {
  const { cases } = JSON.parse(gunzipSync(readFileSync(CORPUS)).toString()) as {
    cases: readonly CorpusCase[];
  };
  const sections = [
    INTRODUCTION,
    '## Variables',
    variables(),
    'A store without units is taken to be in the unit of the variable; units that are not listed are refused.',
    '## Dimensions',
    dimensions(),
    'Beside a lead `time` is T0. `dayofyear`, with or without `hour`, is for a climatology alone: a valid time has the field of its ' +
      'day of the year and of its last six-hourly hour. Other dimensions may have length 1.',
    '## Types, calendars, codecs',
    `Data types of fields: ${codes(FORECAST_DATA_TYPES)}; of times also \`datetime64\` and \`timedelta64\` of numpy. Calendars: ${codes(CALENDARS)}.`,
    codecs(),
    'A codec that is not listed is refused when the store is opened. A zip of a store, an Icechunk repository, kerchunk references, ' +
      'netCDF, HDF5 and GRIB files are called by their names.',
    '## Properties, each with a store in the tests',
    properties(cases),
  ];
  return `${sections.join('\n\n')}\n`;
}
