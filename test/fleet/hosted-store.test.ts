import { describe, expect, it } from 'vitest';
import { hostStore } from '#fleet/hosted-store';
import { makeSimulatedMiner, secretKeyOf } from '#fleet/simulated-miner';
import { fileHash, verifyManifest } from '#pipeline/miners/index';

const { hotkey } = makeSimulatedMiner(1, 0, 'good');
const options = { hotkey, secretKey: secretKeyOf(1, 0), nonceSeed: new Uint8Array(32), tampering: false };
const forecast = new Map([
  ['z/c/0', Uint8Array.of(1, 2, 3)],
  ['zarr.json', Uint8Array.of(4)],
]);
const read = (store: ReturnType<typeof hostStore>, path: string): Uint8Array =>
  store.read(path) ?? new Uint8Array();

describe('hosted store', () => {
  it('the manifest of a hosted store verifies and matches every file', () => {
    const store = hostStore(forecast, options);
    const { files } = verifyManifest({
      bytes: read(store, 'manifest.json'),
      signature: read(store, 'manifest.sig'),
      claimedHash: store.manifestHash,
      minerHotkey: hotkey,
    });
    for (const [path, hash] of Object.entries(files)) expect(fileHash(path, read(store, path))).toBe(hash);
    expect(store.paths).toEqual(['manifest.json', 'manifest.sig', 'z/c/0', 'zarr.json']);
    expect(store.read('other')).toBeNull();
  });

  it('the same seed gives the same store, including the signature', () => {
    expect(read(hostStore(forecast, options), 'manifest.sig')).toEqual(
      read(hostStore(forecast, options), 'manifest.sig'),
    );
  });

  it('a tampering miner alters its chunks, but not its metadata, once its manifest was read', () => {
    const store = hostStore(forecast, { ...options, tampering: true });
    expect(read(store, 'z/c/0')).toEqual(Uint8Array.of(1, 2, 3));
    read(store, 'manifest.json');
    expect(read(store, 'z/c/0')).not.toEqual(Uint8Array.of(1, 2, 3));
    expect(read(store, 'z/c/0')).toHaveLength(3);
    expect(read(store, 'zarr.json')).toEqual(Uint8Array.of(4));
    expect(read(store, 'manifest.sig')).toHaveLength(64);
  });
});
