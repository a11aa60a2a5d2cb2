import type { ErrorReply, Rejection } from '../miner-call.ts';
import { NONCE_WINDOW_SECONDS, type FiberDialect } from './signed-request.ts';

/** What is known of the call that was rejected. */
interface RejectedCall {
  readonly dialect: FiberDialect;
  /** Who asked. */
  readonly validatorHotkey: string;
  /** How far the miner's clock is ahead of ours by its own word, seconds; null when it gave none. */
  readonly skewSeconds: number | null;
  /** This machine's clock, milliseconds since 1970. */
  readonly nowMillis: number;
}

/** Requests take time, too: a clock that is off by nearly the window may have left it on the way. */
const SUSPECT_SECONDS = NONCE_WINDOW_SECONDS - 5;
const KEY_LOST_STATUSES = [400, 401, 403];

/** Whether the miner has lost the key of the request, as after a crash. */
const isKeyLost = ({ statusCode, text }: ErrorReply): boolean =>
  KEY_LOST_STATUSES.includes(statusCode) && text.includes('No symmetric key found');

/** By the miner's word in the handshake, or else by the date of its reply. */
function skewOf({ date }: ErrorReply, { skewSeconds, nowMillis }: RejectedCall): number | null {
  const isSuspect = (seconds: number | null): seconds is number =>
    seconds !== null && Math.abs(seconds) >= SUSPECT_SECONDS && Number.isFinite(seconds);
  const byDate = (Date.parse(date) - nowMillis) / 1000;
  return [skewSeconds, byDate].find(isSuspect) ?? null;
}

function ofClockOrSignature(reply: ErrorReply, call: RejectedCall): Rejection {
  const skew = skewOf(reply, call);
  const window = `requests are accepted within ${NONCE_WINDOW_SECONDS} s of the miner's clock`;
  if (skew !== null) {
    const off = `${Math.abs(Math.round(skew))} s ${skew > 0 ? 'ahead of' : 'behind'}`;
    return {
      advice: `The miner's clock is ${off} this machine's, and ${window}: if the clock here is right (NTP), the miner's has to be set`,
    };
  }
  if (/nonce/i.test(reply.text))
    return {
      advice: `It refused the nonce, which is new for each try; ${window}: compare the clock of this machine with NTP`,
    };
  return {
    advice: `It did not accept the signature of ${call.validatorHotkey}; check that the hotkey file is that of this validator, and the dialect (${call.dialect})`,
  };
}

/** What a reply other than 200 means to a signed request; null when its status says it all. */
export function explainRejection(reply: ErrorReply, call: RejectedCall): Rejection | null {
  if (isKeyLost(reply))
    return { category: 'handshake', advice: 'It has lost the key that was agreed on, or knows it no more' };
  switch (reply.statusCode) {
    case 401:
      return ofClockOrSignature(reply, call);
    case 403:
      return {
        advice: `It does not serve ${call.validatorHotkey}: that hotkey has to be registered, with the stake that the miner asks for, and on no list of its own`,
      };
    case 422:
      return call.dialect === 'unencrypted' && reply.text.includes('symmetric-key-uuid')
        ? { advice: 'It takes encrypted requests only: --fiber-dialect encrypted' }
        : null;
    default:
      return null;
  }
}

/** What a reply other than 200 means while a key is agreed on. */
export function explainHandshakeRejection(reply: ErrorReply, call: RejectedCall): Rejection | null {
  if (reply.statusCode === 404)
    return {
      category: 'handshake',
      advice:
        'It agrees on no keys: use --fiber-dialect unencrypted or --transport plain if its network does',
    };
  if (reply.statusCode === 401 && /decrypt/i.test(reply.text))
    return {
      category: 'handshake',
      advice: 'It could not decrypt the key: it may have started anew meanwhile',
    };
  return explainRejection(reply, call);
}
