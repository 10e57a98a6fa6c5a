/** The `metav1.MicroTime` of a moment in milliseconds since the epoch: RFC 3339 with six decimals. */
export const microTime = (nowMs: number): string => new Date(nowMs).toISOString().replace('Z', '000Z');
