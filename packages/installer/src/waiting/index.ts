export { isSo, nothingLacks, pending, poll, type Attempt, type Polling } from './poll.ts';
