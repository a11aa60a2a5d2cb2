/** A PostgreSQL server at hand, and how to let go of it. */
export interface DatabaseServer {
  /** A URL with the password in it: for the driver, not for messages. */
  readonly connectionString: string;
  /** `given` by DATABASE_URL and never stopped by us, or `embedded` below the data directory. */
  readonly kind: 'given' | 'embedded';
  /** Ends our use. Doing it twice is the same as once. */
  stop(): Promise<void>;
}
