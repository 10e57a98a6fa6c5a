export { createReading, seenOr } from './reading.ts';
export type { Reading, Right, Seen, Unread } from './types.ts';
export { askFor, nameOfRight, notAllowed, refuseUnread } from './words.ts';
