/** Handle of a PostgreSQL server. */
export interface DatabaseServer {
  /** A URL with the password in it: for the driver, not for messages. */
  readonly connectionString: string;
  /** `given` by DATABASE_URL and never stopped by us, or `embedded` below the data directory. */
  readonly kind: 'given' | 'embedded';
  /** Releases the server. Idempotent. */
  stop(): Promise<void>;
}
