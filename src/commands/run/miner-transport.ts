import { Option, type Command } from 'commander';
import type { Config } from '#src/config';
import {
  createFiberTransport,
  FIBER_DIALECTS,
  readHotkeyFile,
  type FiberDialect,
  type MinerTransport,
} from '#pipeline/miners/index';
import { CategorizedError } from '#semconv';

/** The forms in which miners are asked. */
const TRANSPORTS = ['plain', 'fiber'] as const;

/** How miners are asked, as it was typed. */
export interface TransportOptions {
  readonly transport: (typeof TRANSPORTS)[number];
  readonly hotkeyFile?: string;
  readonly fiberDialect?: FiberDialect;
}

/** How miners are asked. */
export interface MinerAccess {
  /** Plain JSON unless given. */
  readonly minerTransport?: MinerTransport;
  /** What simulated miners have to take; unsigned JSON unless given. */
  readonly dialect?: FiberDialect;
  /** The identity of this validator: the hotkey that signs, or else what the environment names. */
  readonly validatorHotkey: string | null;
}

/** Adds the options that say how miners are asked. */
export const withTransportOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--transport <form>',
        'how miners are asked: plain (unsigned JSON: simulated miners) or fiber (signed: real ones)',
      )
        .choices(TRANSPORTS)
        .default('plain'),
    )
    .option(
      '--hotkey-file <file>',
      'key file of the hotkey that signs, for --transport fiber; BAROGRAPH_HOTKEY_FILE unless given',
    )
    .addOption(
      new Option(
        '--fiber-dialect <dialect>',
        'the dialect of the network’s miners, for --transport fiber; encrypted unless given',
      ).choices(FIBER_DIALECTS),
    );

const fault = (what: string): CategorizedError => new CategorizedError('validator_internal', what);

/**
 * Makes what the options ask for.
 *
 * @throws CategorizedError for a key file that cannot be used, or that is of another validator than the environment says
 */
export async function openMinerAccess(options: TransportOptions, config: Config): Promise<MinerAccess> {
  const { validatorHotkey } = config;
  if (options.transport === 'plain') {
    const idle =
      options.hotkeyFile === undefined ? options.fiberDialect && '--fiber-dialect' : '--hotkey-file';
    if (idle !== undefined)
      throw fault(
        `${idle} says how requests are signed, but --transport is plain; add --transport fiber, or leave it out.`,
      );
    return { validatorHotkey };
  }
  const file = options.hotkeyFile ?? config.hotkeyFile;
  if (file === null)
    throw fault(
      '--transport fiber signs each request, and no key file is named: add --hotkey-file, or set BAROGRAPH_HOTKEY_FILE, ' +
        'for example ~/.bittensor/wallets/NAME/hotkeys/NAME.',
    );
  const signer = await readHotkeyFile(file);
  if (validatorHotkey !== null && validatorHotkey !== signer.hotkey)
    throw fault(
      `BAROGRAPH_VALIDATOR_HOTKEY is ${validatorHotkey}, but the hotkey file is that of ${signer.hotkey}; name the file of this validator, or unset the variable.`,
    );
  const dialect = options.fiberDialect ?? 'encrypted';
  return {
    minerTransport: createFiberTransport({ signer, dialect }),
    dialect,
    validatorHotkey: signer.hotkey,
  };
}
