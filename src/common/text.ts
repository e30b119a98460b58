/** C0 and C1 controls, and the bidirectional overrides that can make a terminal show something else. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is what this is for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Text from a peer or a container made safe to show: no control characters except tab and newline, at most `maxLength`. */
export function safeText(text: string, maxLength = 4096): string {
  const clean = text.replace(UNSAFE, '')
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean
}

/** ISO 8601; what somebody else says is a time may be none, and then it is the epoch. @param ms since epoch */
export function isoTime(ms: number): string {
  return new Date(Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? ms : 0).toISOString()
}
