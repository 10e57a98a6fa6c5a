import type { Connectivity } from './types.ts';

/** What is known of the link to the cloud. `sinceMs` counts from the epoch, for people. */
export type LinkState =
  | { readonly kind: 'connecting'; readonly sinceMs: number }
  | { readonly kind: 'online'; readonly sinceMs: number; readonly server: string }
  /** Still counted as online: something went wrong, a probe is to tell. */
  | {
      readonly kind: 'doubted';
      readonly sinceMs: number;
      readonly server: string;
      readonly reason: string;
      readonly patienceMs: number;
      readonly proof: Proof;
    }
  | { readonly kind: 'offline'; readonly sinceMs: number; readonly reason: string }
  /** Still counted as offline: a server answered, and has to answer once more after a while. */
  | { readonly kind: 'healing'; readonly sinceMs: number; readonly reason: string };

/** What takes a doubt away: any answer, or only a probe's. */
export type Proof = 'answer' | 'probe';

export type Evidence =
  /** A server answered; `by: 'probe'`: that it is ready. */
  | { readonly kind: 'answered'; readonly server: string; readonly by: Proof }
  /** A connection broke, a call hangs, a server fails. Not yet proof: it is probed for at most `patienceMs`. */
  | {
      readonly kind: 'suspected';
      readonly reason: string;
      readonly patienceMs: number;
      readonly proof: Proof;
    }
  /** A probe found no server that is ready. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The probe that was to tell has used up the patience, and goes on. */
  | { readonly kind: 'overdue' };

type Judge<K extends LinkState['kind']> = (
  state: Extract<LinkState, { kind: K }>,
  evidence: Evidence,
  nowMs: number,
) => LinkState;

const connecting: Judge<'connecting'> = (state, evidence, nowMs) => {
  switch (evidence.kind) {
    case 'answered':
      return { kind: 'online', sinceMs: nowMs, server: evidence.server };
    case 'unreachable':
      return { kind: 'offline', sinceMs: nowMs, reason: evidence.reason };
    case 'overdue':
      return { kind: 'offline', sinceMs: nowMs, reason: 'no answer since the start' };
    case 'suspected':
      return state;
  }
};

/** A failed probe that was begun in doubt says nothing once an answer has taken the doubt away. */
const online: Judge<'online'> = (state, evidence) => {
  if (evidence.kind === 'answered' && evidence.server !== state.server)
    return { ...state, server: evidence.server };
  if (evidence.kind !== 'suspected') return state;
  const { reason, patienceMs, proof } = evidence;
  return { ...state, kind: 'doubted', reason, patienceMs, proof };
};

const doubted: Judge<'doubted'> = (state, evidence, nowMs) => {
  switch (evidence.kind) {
    case 'answered':
      if (state.proof === 'probe' && evidence.by !== 'probe') return state;
      return { kind: 'online', sinceMs: state.sinceMs, server: evidence.server };
    case 'unreachable':
      return { kind: 'offline', sinceMs: nowMs, reason: evidence.reason };
    case 'overdue':
      return { kind: 'offline', sinceMs: nowMs, reason: state.reason };
    case 'suspected':
      return state;
  }
};

/** Answers that are no probe's are stragglers from before. */
const offline: Judge<'offline'> = (state, evidence) => {
  if (evidence.kind === 'answered' && evidence.by === 'probe') return { ...state, kind: 'healing' };
  if (evidence.kind !== 'unreachable' || evidence.reason === state.reason) return state;
  return { ...state, reason: evidence.reason };
};

const healing: Judge<'healing'> = (state, evidence, nowMs) => {
  switch (evidence.kind) {
    case 'answered':
      return evidence.by === 'probe' ? { kind: 'online', sinceMs: nowMs, server: evidence.server } : state;
    case 'suspected':
    case 'unreachable':
      return { ...state, kind: 'offline', reason: evidence.reason };
    case 'overdue':
      return state;
  }
};

/** The state after a piece of evidence; the same object if it changes nothing. Pure. */
export function judge(state: LinkState, evidence: Evidence, nowMs: number): LinkState {
  switch (state.kind) {
    case 'connecting':
      return connecting(state, evidence, nowMs);
    case 'online':
      return online(state, evidence, nowMs);
    case 'doubted':
      return doubted(state, evidence, nowMs);
    case 'offline':
      return offline(state, evidence, nowMs);
    case 'healing':
      return healing(state, evidence, nowMs);
  }
}

/** What the link's users see of it. */
export function connectivityOf(state: LinkState): Connectivity {
  switch (state.kind) {
    case 'connecting':
      return state;
    case 'online':
    case 'doubted':
      return { kind: 'online', sinceMs: state.sinceMs, server: state.server };
    case 'offline':
    case 'healing':
      return { kind: 'offline', sinceMs: state.sinceMs, reason: state.reason };
  }
}
