export { createReplay, type Replay, type ReplayDeps, type ReplayOptions } from './replay.ts';
