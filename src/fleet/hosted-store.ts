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
  /** The content that a path has now, or null. */
  readonly read: (path: string) => Uint8Array | null;
}

/** Who signs a store, and whether it swaps files behind the validator's back. */
export interface HostedStoreOptions {
  readonly hotkey: string;
  readonly secretKey: Uint8Array;
  /** 32 bytes that make the signature reproducible. */
  readonly nonceSeed: Uint8Array;
  readonly tampering: boolean;
}

const isMetadata = (path: string): boolean =>
  /(?:^|\/)(?:zarr\.json|\.z[a-z]+|manifest\.(?:json|sig))$/.test(path);

/** The same number of bytes, but other ones. */
const swapped = (content: Uint8Array): Uint8Array => content.map((byte) => byte ^ 0x5a);

/** Seals the files of a forecast. A tampering miner serves other chunks once its manifest was read. */
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
