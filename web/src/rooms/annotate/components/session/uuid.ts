/**
 * A UUID of version 7 as 32 hex digits: its first 48 bits are the time, so that ids are ordered by when they were given.
 * Source: RFC 9562, section 5.7. `crypto.randomUUID` would need a secure context, which a server in a local network is not.
 */
export function uuid7(now = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let at = 0; at < 6; at += 1) bytes[at] = Math.floor(now / 2 ** (8 * (5 - at))) & 0xff;
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
