/**
 * Lets several sides of a comparison report on one measurement: the first that is asked in a round takes it, whichever
 * that is, and the others are told what it gave.
 *
 * @param take measures
 * @param sides each gives its number of what was measured; each is asked once a round
 */
export function shareMeasurement<Measured>(
  take: () => Promise<Measured>,
  sides: Readonly<Record<string, (measured: Measured) => number>>,
): Readonly<Record<string, () => Promise<number>>> {
  const count = Object.keys(sides).length;
  let asked = 0;
  let current: Promise<Measured> | undefined;
  const ofThisRound = (): Promise<Measured> => {
    if (asked % count === 0 || current === undefined) current = take();
    asked += 1;
    return current;
  };
  return Object.fromEntries(
    Object.entries(sides).map(([name, report]) => [name, async () => report(await ofThisRound())]),
  );
}
