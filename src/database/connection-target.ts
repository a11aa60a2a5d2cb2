/** The loggable part of a connection string: the target, never user or password. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

/** PostgreSQL's own default port. */
const DEFAULT_PORT = 5432;

/**
 * Parses the target of a connection string, in the URL form `postgres://user:password@host:port/database?sslmode=…`.
 *
 * @throws TypeError when it is not such a URL. The message never holds the string, which may hold a password.
 */
export function parseConnectionTarget(connectionString: string): ConnectionTarget {
  const url = URL.canParse(connectionString) ? new URL(connectionString) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol) || hasStrayPassword(url)) {
    throw new TypeError(
      'The database connection string is not a PostgreSQL URL. ' +
        'Allowed: postgres://user:password@host:port/database?sslmode=… with special characters percent-encoded.',
    );
  }
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  const port = url.searchParams.get('port') ?? url.port;
  const database = decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username);
  return { host: host || 'localhost', port: port === '' ? DEFAULT_PORT : Number(port), database };
}

/**
 * Whether a part of the password may stand where host, port or database are read: an unencoded `/`, `#`, `?` or `@` in it
 * ends what a URL takes for user and password.
 */
const hasStrayPassword = ({ username, pathname, search, hash }: URL): boolean =>
  hash !== '' || pathname.includes('@') || (username === '' && search.includes('@'));

/** `host:port/database`, for messages. */
export function describeConnectionTarget(connectionString: string): string {
  const { host, port, database } = parseConnectionTarget(connectionString);
  return `${host}:${port}/${database}`;
}
