import { CategorizedError } from '#semconv/error-categories';
import { describeConnectionTarget } from './connection-target.ts';

/** What went wrong and what to do about it. */
interface Advice {
  readonly problem: string;
  readonly remedy: string;
  /** Whether waiting alone can help. */
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
    problem: 'broke the connection off',
    remedy: 'Try again; if it stays so, look at the log of the server or of the proxy before it',
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
      'Correct the user in DATABASE_URL, or let it in (pg_hba.conf; it may want TLS: add sslmode=require)',
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

/** Advice by a part of the driver's message, for the failures to which it gives no code. */
const ADVICE_BY_MESSAGE: readonly (readonly [pattern: RegExp, advice: Advice])[] = [
  [
    /does not support SSL/i,
    {
      problem: 'does not speak TLS',
      remedy: 'Use sslmode=disable in DATABASE_URL, or turn TLS on in the server',
      retryable: false,
    },
  ],
  [
    /certificate|self-signed|altnames/i,
    {
      problem: 'shows a certificate that is not trusted',
      remedy: 'Name its authority with sslrootcert=… in DATABASE_URL, or go unchecked with sslmode=no-verify',
      retryable: false,
    },
  ],
  [
    /password must be a string/i,
    {
      problem: 'wants a password and DATABASE_URL has none',
      remedy: 'Write it into DATABASE_URL, or set PGPASSWORD',
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
      problem: 'broke the connection off',
      remedy: 'Try again; if it stays so, look at the log of the server or of the proxy before it',
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
 * Turns a failed connection into an error with the target, what happened and what to do.
 *
 * The message holds host, port and database; never the user's password. A cause that may quote the connection
 * string is kept only where it came from the server or the socket.
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
  const text = `${code ?? ''} ${error instanceof Error ? error.message : ''}`;
  return ADVICE_BY_MESSAGE.find(([pattern]) => pattern.test(text))?.[1];
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
