/**
 * What became of a batch that was handed to an exporter.
 *
 * - `written`: it is safe; the exporter owns it now.
 * - `retryable`: nothing was written; the same batch may be handed over again later.
 * - `rejected`: nothing was written, and handing the same batch over again cannot help.
 */
export type ExportReport =
  | { readonly kind: 'written' }
  | { readonly kind: 'retryable'; readonly error: unknown }
  | { readonly kind: 'rejected'; readonly error: unknown };
