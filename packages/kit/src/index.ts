export { parseProgramArguments, type ProgramCommand } from './arguments.ts';
export { sweepTemporaries, writeFileAtomic, type AtomicFileOptions } from './atomic-file.ts';
export { createBackoff, type Backoff, type BackoffOptions } from './backoff.ts';
export { BoundedMap } from './bounded-map.ts';
export {
  createBoundedQueue,
  type BoundedQueue,
  type BoundedQueueOptions,
  type Overflow,
} from './bounded-queue.ts';
export { systemClock, type Clock } from './clock.ts';
export {
  SelvedgeError,
  explain,
  hasCode,
  isAbort,
  messageOf,
  systemCode,
  type ErrorCode,
  type ErrorOptions,
} from './errors.ts';
export { createExitCodes, type ExitCodes } from './exit-codes.ts';
export { FairMap, type FairMapOptions } from './fair-map.ts';
export { ifPresent } from './if-present.ts';
export { createLimiter, type Limiter, type LimiterOptions } from './limiter.ts';
export { createListeners, type Listeners } from './listeners.ts';
export { limitRepeats, type RepeatLimitOptions } from './log-repeats.ts';
export {
  createJsonLogger,
  logLevels,
  silentLogger,
  type JsonLoggerDeps,
  type JsonLoggerOptions,
  type LogFields,
  type LogLevel,
  type Logger,
} from './log.ts';
export { renderFamilies, type Family, type Labels, type Sample } from './metrics-text.ts';
export {
  createMetricsRegistry,
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type MetricOptions,
  type MetricsOptions,
  type MetricsRegistry,
  type SampledOptions,
} from './metrics.ts';
export { createMinHeap, type MinHeap } from './min-heap.ts';
export { earliestNowMs, isPlausibleNow } from './plausible-time.ts';
export { createPoke, type Poke } from './poke.ts';
export { runProgram, type ProgramDeps, type ProgramHost, type ProgramOptions } from './program.ts';
export { jittered, type Random } from './random.ts';
export { redact } from './redact.ts';
export { aborted, raceAbort, scoped, withDeadline, type DeadlineOptions, type Scope } from './scope.ts';
export { createServiceGroup, createServicesBeside, type Service } from './service.ts';
export { createSingleFlight, type SingleFlight } from './single-flight.ts';
export { createStateMachine, type StateMachine, type StateMachineOptions } from './state.ts';
export { createSubscriptions, type Unsubscribe } from './subscriptions.ts';
export { createTaskGroup, type TaskGroup, type TaskGroupDeps, type TaskGroupOptions } from './task-group.ts';
export { TokenBucket, type TokenBucketOptions } from './token-bucket.ts';
export {
  startTuned,
  tunedCommand,
  type Invocation,
  type TunedCommand,
  type TunedHost,
  type Tuning,
} from './tuning.ts';
export { writeChunk } from './write.ts';
