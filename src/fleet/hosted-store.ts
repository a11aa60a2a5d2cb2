import {
  buildManifest,
  MANIFEST_FILE,
  manifestHash,
  SIGNATURE_FILE,
  signBytes,
} from '#pipeline/miners/index';

/** A forecast as a miner hosts it: the files, and the manifest and signature at their root. */
export interface HostedStore {
  readonly manifestHash: string;
  /** Every path below the store, sorted. */
  readonly paths: readonly string[];
  /** Current content of a path, or null. */
  readonly read: (path: string) => Uint8Array | null;
}

/** Signer of a store, and whether chunks change after the manifest was read. */
export interface HostedStoreOptions {
  readonly hotkey: string;
  readonly secretKey: Uint8Array;
  /** 32 bytes that make the signature reproducible. */
  readonly nonceSeed: Uint8Array;
  readonly tampering: boolean;
}

const isMetadata = (path: string): boolean =>
  /(?:^|\/)(?:zarr\.json|\.z[a-z]+|manifest\.(?:json|sig))$/.test(path);

/** Altered content of the same length. */
const swapped = (content: Uint8Array): Uint8Array => content.map((byte) => byte ^ 0x5a);

/**
 * Signs the files of a forecast with a manifest. A tampering miner serves altered chunks once its manifest was read.
 */
export function hostStore(
  forecast: ReadonlyMap<string, Uint8Array>,
  options: HostedStoreOptions,
): HostedStore {
  const manifest = buildManifest({ signerHotkey: options.hotkey, files: forecast });
  const signature = signBytes(options.secretKey, manifest, options.nonceSeed);
  const files = new Map([
    ...forecast,
    [MANIFEST_FILE, manifest] as const,
    [SIGNATURE_FILE, signature] as const,
  ]);
  let manifestWasRead = false;
  return {
    manifestHash: manifestHash(manifest),
    paths: [...files.keys()].toSorted(),
    read(path) {
      const content = files.get(path);
      if (content === undefined) return null;
      if (path === MANIFEST_FILE) manifestWasRead = true;
      return options.tampering && manifestWasRead && !isMetadata(path) ? swapped(content) : content;
    },
  };
}
