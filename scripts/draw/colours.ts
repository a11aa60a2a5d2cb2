/** The colours that Grafana knows by name, in its dark theme. */
const NAMED: Readonly<Record<string, string>> = {
  ...{ 'dark-red': '#C4162A', 'semi-dark-red': '#E02F44', red: '#F2495C', 'light-red': '#FF7383' },
  ...{
    'dark-orange': '#FA6400',
    'semi-dark-orange': '#FF780A',
    orange: '#FF9830',
    'light-orange': '#FFB357',
  },
  ...{
    'dark-yellow': '#E0B400',
    'semi-dark-yellow': '#F2CC0C',
    yellow: '#FADE2A',
    'light-yellow': '#FFEE52',
  },
  ...{ 'dark-green': '#37872D', 'semi-dark-green': '#56A64B', green: '#73BF69', 'light-green': '#96D98D' },
  ...{ 'dark-blue': '#1F60C4', 'semi-dark-blue': '#3274D9', blue: '#5794F2', 'light-blue': '#8AB8FF' },
  ...{
    'dark-purple': '#8F3BB8',
    'semi-dark-purple': '#A352CC',
    purple: '#B877D9',
    'light-purple': '#CA95E5',
  },
};

/** Colours of lines that have none of their own, light enough for a dark ground. */
const LINES =
  '#73BF69 #F2CC0C #8AB8FF #FF780A #F2495C #5794F2 #B877D9 #508642 #CCA300 #447EBC #C15C17 #B7DBAB #F4D598 #70DBED #F9BA8F #F29191 #82B5D8 #E5A8E2 #AEA2E0 #629E51 #E5AC0E #64B0C8 #E0752D #9AC48A #F2C96D #65C5DB #F9934E #EA6460 #5195CE #D683CE #806EB7'.split(
    ' ',
  );

export const cssColour = (name: string): string => NAMED[name] ?? name;

/** The colour of a line by its name: the same name has the same colour everywhere. */
export function lineColour(name: string): string {
  let hash = 0;
  for (const character of name) hash = ((hash << 5) - hash + character.charCodeAt(0)) | 0;
  return LINES[Math.abs(hash) % LINES.length] ?? '#8e8e8e';
}

/** Dark letters on a light ground, light ones on a dark ground. */
export function lettersOn(colour: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 150 ? '#111217' : '#ffffff';
}
