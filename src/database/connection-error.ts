import { CategorizedError } from '#semconv/error-categories';
import { describeConnectionTarget } from './connection-target.ts';
import { isError } from '#semconv/message-of';

/** Problem and remedy of a failed connection. */
interface Advice {
  readonly problem: string;
  readonly remedy: string;
  /** Whether the problem can pass without a change of configuration. */
  readonly retryable: boolean;
}

/** Advice by the code of the operating system or the SQLSTATE of PostgreSQL. */
const ADVICE: Readonly<Record<string, Advice>> = {
  ECONNREFUSED: {
    problem: 'refused the connection: nothing listens there',
    remedy: 'Start the server, or correct host and port in DATABASE_URL',
    retryable: true,
  },
  ECONNRESET: {
    problem: 'closed the connection',
    remedy: 'Try again; if it persists, see the log of the server or of the proxy in front of it',
    retryable: true,
  },
  ETIMEDOUT: {
    problem: 'did not answer in time',
    remedy: 'Check the host in DATABASE_URL and the firewall between',
    retryable: true,
  },
  ENOTFOUND: {
    problem: 'has a host name that cannot be resolved',
    remedy: 'Correct the host in DATABASE_URL',
    retryable: false,
  },
  EAI_AGAIN: {
    problem: 'has a host name that cannot be resolved at the moment',
    remedy: 'Check the host in DATABASE_URL and the name service',
    retryable: true,
  },
  '28P01': {
    problem: 'refused the password',
    remedy: 'Correct user and password in DATABASE_URL (special characters percent-encoded)',
    retryable: false,
  },
  '28000': {
    problem: 'refused this user from here',
    remedy:
      'Correct the user in DATABASE_URL, or allow it in pg_hba.conf (if that requires TLS, add sslmode=require)',
    retryable: false,
  },
  '3D000': {
    problem: 'has no such database',
    remedy: 'Create the database (create database …), or correct its name in DATABASE_URL',
    retryable: false,
  },
  '53300': {
    problem: 'has no connection left',
    remedy: 'Raise max_connections, or lower the pool size of the programs that use it',
    retryable: true,
  },
  '57P03': {
    problem: 'is starting up or shutting down',
    remedy: 'Try again in a moment',
    retryable: true,
  },
};

/** Advice by a pattern of the driver's message, for failures without a code. */
const ADVICE_BY_MESSAGE: readonly (readonly [pattern: RegExp, advice: Advice])[] = [
  [
    /does not support SSL/i,
    {
      problem: 'does not support TLS',
      remedy: 'Use sslmode=disable in DATABASE_URL, or enable TLS in the server',
      retryable: false,
    },
  ],
  [
    /certificate|self-signed|altnames/i,
    {
      problem: 'has a certificate that is not trusted',
      remedy:
        'Name its authority with sslrootcert=… in DATABASE_URL, or skip verification with sslmode=no-verify',
      retryable: false,
    },
  ],
  [
    /password must be a string/i,
    {
      problem: 'requires a password and DATABASE_URL has none',
      remedy: 'Add it to DATABASE_URL, or set PGPASSWORD',
      retryable: false,
    },
  ],
  [
    /timeout/i,
    {
      problem: 'did not answer in time',
      remedy: 'Check the host in DATABASE_URL and the firewall between',
      retryable: true,
    },
  ],
  [
    /terminated/i,
    {
      problem: 'closed the connection',
      remedy: 'Try again; if it persists, see the log of the server or of the proxy in front of it',
      retryable: true,
    },
  ],
];

/** The `code` of an error of Node or of the driver, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Maps a failed connection to an error that names the target, the problem and the remedy.
 *
 * The message holds host, port and database; never the user's password. A cause that may quote the connection
 * string is attached only where it came from the server or the socket.
 */
export function toConnectionError(error: unknown, connectionString: string): CategorizedError {
  if (error instanceof CategorizedError) return error;
  const target = describeConnectionTarget(connectionString);
  const advice = findAdvice(error);
  if (advice === undefined) {
    const code = codeOf(error);
    const reason = code === undefined ? nameOf(error) : `code ${code}`;
    const message = `Cannot connect to PostgreSQL at ${target} (${reason}). Check DATABASE_URL and the server's log.`;
    return new CategorizedError('validator_internal', message, { cause: error, retryable: false });
  }
  const message = `PostgreSQL at ${target} ${advice.problem}. ${advice.remedy}.`;
  return new CategorizedError('validator_internal', message, { cause: error, retryable: advice.retryable });
}

function findAdvice(error: unknown): Advice | undefined {
  const code = codeOf(error);
  const byCode = code === undefined ? undefined : ADVICE[code];
  if (byCode !== undefined) return byCode;
  const text = `${code ?? ''} ${isError(error) ? error.message : ''}`;
  return ADVICE_BY_MESSAGE.find(([pattern]) => pattern.test(text))?.[1];
}

function nameOf(error: unknown): string {
  return isError(error) ? error.name : typeof error;
}
