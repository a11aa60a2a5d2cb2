import { randomBytes } from 'node:crypto';
import type { HotkeySigner } from '../hotkey-file.ts';
import { MinerCallError } from '../miner-call-error.ts';
import { callMiner, type CallSurroundings } from '../miner-call.ts';
import {
  JSON_HEADERS,
  toCall,
  toEnvelope,
  type MinerRequest,
  type MinerTransport,
  type TransportReply,
} from '../transport.ts';
import { encryptFernet } from './fernet.ts';
import { secretsOfSession, shakeHands, type FiberIdentity, type Session } from './handshake.ts';
import { explainRejection } from './rejections.ts';
import { bodyHash, HEADERS, makeNonce, signedHeaders, type FiberDialect } from './signed-request.ts';

/** How requests are signed. */
export interface FiberOptions {
  readonly signer: HotkeySigner;
  readonly dialect: FiberDialect;
  /** Milliseconds since 1970; the system's unless given. */
  readonly clock?: () => number;
  /** Longest silence of a miner during a request, milliseconds. */
  readonly silenceMillis?: number;
}

/** What the networks' validators wait for at most, whatever a request asks for: for each phase, not in all. */
const SILENCE_MILLIS = 10_000;
/** Miners keep a key for five hours. */
const SESSION_MILLIS = 2 * 3_600_000;

interface FiberSettings extends FiberIdentity {
  readonly dialect: FiberDialect;
  readonly silenceMillis: number;
}

/** A session to use, and what it took to get. */
interface Taken {
  readonly session: Session;
  /** Null when the session was there. */
  readonly handshakeMillis: number | null;
}

/** The keys that were agreed on, one a miner. Calls that need the same one at once share the handshake. */
class Sessions {
  readonly #identity: FiberIdentity;
  readonly #byMiner = new Map<string, { readonly pending: Promise<Session>; session: Session | null }>();

  constructor(identity: FiberIdentity) {
    this.#identity = identity;
  }

  /** @throws MinerCallError when no key could be agreed on */
  async take(request: MinerRequest, surroundings: CallSurroundings): Promise<Taken> {
    const startedAt = surroundings.now();
    const key = keyOf(request);
    const known = this.#byMiner.get(key);
    const isUsable = (session: Session): boolean => startedAt - session.madeAt < SESSION_MILLIS;
    if (known?.session && isUsable(known.session)) return { session: known.session, handshakeMillis: null };
    const pending = known?.session === null ? known.pending : this.#begin(key, request, surroundings);
    try {
      return { session: await pending, handshakeMillis: surroundings.now() - startedAt };
    } catch (error) {
      if (error instanceof MinerCallError) throw error.of(request.type);
      throw error;
    }
  }

  /** Forgets a session, unless another one has taken its place. */
  drop(request: MinerRequest, session: Session): void {
    const key = keyOf(request);
    if (this.#byMiner.get(key)?.session === session) this.#byMiner.delete(key);
  }

  #begin(key: string, request: MinerRequest, surroundings: CallSurroundings): Promise<Session> {
    const pending = shakeHands(request, surroundings, this.#identity);
    const entry: { readonly pending: Promise<Session>; session: Session | null } = { pending, session: null };
    this.#byMiner.set(key, entry);
    pending.then(
      (session) => (entry.session = session),
      () => this.#byMiner.delete(key),
    );
    return pending;
  }
}

/** A slot that passes to another miner, or a miner that moves, needs another key. */
const keyOf = ({ miner }: MinerRequest): string => `${miner.hotkey} ${miner.baseUrl}`;

/**
 * Whether a failed request is tried once more with a new key: when the miner has lost the old one, or when nothing came
 * back on one that is older than this call. Nothing else is: every other reply is the miner's word.
 */
function needsNewKey(error: unknown, handshakeMillis: number | null): boolean {
  if (!(error instanceof MinerCallError) || error.category === 'validator_internal') return false;
  return error.statusCode === null ? handshakeMillis === null : error.category === 'handshake';
}

/** Sends one request under a key, signed with a nonce of its own. */
function postEncrypted(
  request: MinerRequest,
  surroundings: CallSurroundings,
  { session, signer, clock, silenceMillis }: FiberSettings & { readonly session: Session },
): Promise<TransportReply> {
  const now = clock();
  const nonce = makeNonce(now);
  const payload = JSON.stringify({ data: request.data, nonce: makeNonce(now) });
  const signed = signedHeaders(signer, { nonce, minerHotkey: request.miner.hotkey, last: session.uuid });
  return callMiner(
    {
      ...toCall(request),
      body: encryptFernet(session.key, payload, { seconds: now / 1000, iv: randomBytes(16) }),
      headers: { 'content-type': 'application/octet-stream', ...signed, [HEADERS.uuid]: session.uuid },
      secrets: [...secretsOfSession(session), signed[HEADERS.signature] ?? nonce],
      silenceMillis,
      explain: (reply) =>
        explainRejection(reply, {
          dialect: 'encrypted',
          validatorHotkey: signer.hotkey,
          skewSeconds: session.skewSeconds,
          nowMillis: clock(),
        }),
    },
    surroundings,
  );
}

function encryptedTransport(settings: FiberSettings): MinerTransport {
  const sessions = new Sessions(settings);
  return {
    async send(request, surroundings) {
      const first = await sessions.take(request, surroundings);
      const post = async ({ session, handshakeMillis }: Taken): Promise<TransportReply> => {
        const reply = await postEncrypted(request, surroundings, { ...settings, session });
        return handshakeMillis === null ? reply : { ...reply, handshakeMillis };
      };
      try {
        return await post(first);
      } catch (error) {
        if (!needsNewKey(error, first.handshakeMillis)) throw error;
        sessions.drop(request, first.session);
        return post(await sessions.take(request, surroundings));
      }
    },
  };
}

function unencryptedTransport({ signer, clock, silenceMillis }: FiberSettings): MinerTransport {
  return {
    send(request, surroundings) {
      const body = toEnvelope(request);
      const nonce = makeNonce(clock());
      const signed = signedHeaders(signer, {
        nonce,
        minerHotkey: request.miner.hotkey,
        last: bodyHash(body),
      });
      return callMiner(
        {
          ...toCall(request),
          body,
          headers: { ...JSON_HEADERS, ...signed },
          secrets: [signed[HEADERS.signature] ?? nonce],
          silenceMillis,
          explain: (reply) =>
            explainRejection(reply, {
              dialect: 'unencrypted',
              validatorHotkey: signer.hotkey,
              skewSeconds: null,
              nowMillis: clock(),
            }),
        },
        surroundings,
      );
    },
  };
}

/**
 * Signed requests, as the miners of Bittensor's weather network take them: each with a new nonce, and in the encrypted
 * dialect under a key that is agreed on with the miner, which is kept for two hours.
 */
export function createFiberTransport(options: FiberOptions): MinerTransport {
  const settings: FiberSettings = {
    ...options,
    clock: options.clock ?? (() => Date.now()),
    silenceMillis: options.silenceMillis ?? SILENCE_MILLIS,
  };
  return settings.dialect === 'encrypted' ? encryptedTransport(settings) : unencryptedTransport(settings);
}
