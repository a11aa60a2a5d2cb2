/**
 * The migrations by file name. Null in the sources, where their folder is read; the build puts the texts in, so that the
 * package can be inside a bundle, which has no folder beside it.
 */
export const BUILT_IN_MIGRATIONS: Readonly<Record<string, string>> | null = null as Record<
  string,
  string
> | null;
