import { createHash } from 'node:crypto';

/** `YYYYMMDDHHMMSS` in UTC. */
const compact = (instant: Date): string => instant.toISOString().replace(/\D/g, '').slice(0, 14);

/**
 * The id that a miner gives to its job for one forecast, as lower-case UUID text.
 *
 * It follows from T0 and the hotkey alone, whichever validator asks: the first 16 bytes of SHA-256 over
 * `weather_job_forecast_{T0}_{hotkey}`, with the bits of UUID version 4 set. Two UIDs that answer with one id are one
 * machine behind two slots.
 */
export function toJobId(initTime: Date, minerHotkey: string): string {
  const text = `weather_job_forecast_${compact(initTime)}_${minerHotkey}`;
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
