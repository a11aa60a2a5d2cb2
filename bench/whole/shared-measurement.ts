/**
 * Lets several sides of a comparison share one measurement: the first side of a round takes it, the others reuse the
 * result (memoized per round).
 *
 * @param take measures
 * @param sides each extracts its number from the measurement; each is called once per round
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
