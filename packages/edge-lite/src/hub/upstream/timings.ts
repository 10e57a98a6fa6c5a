/** When what is believed of the link changes, in milliseconds. */
export interface UpstreamTimings {
  /** TCP connection, to a proxy if there is one. Default 3,000. */
  readonly dialMs: number;
  /** TLS handshake, HTTP/2 settings, a proxy's answer. Default 5,000. */
  readonly handshakeMs: number;
  /** From a request to the head of its answer; API servers give up after 60 s themselves. Default 65,000. */
  readonly firstByteMs: number;
  /** Silence after which a connection is pinged, and how long it has to say anything then. Default 4,900 and 2,200. */
  readonly quietMs: number;
  readonly pingMs: number;
  /** An answer that is late by so much raises a doubt. Default 8,000. */
  readonly slowMs: number;
  /** How long a probe may leave it open whether a silent link is dead; whether any other is. Default 2,000 and 5,000. */
  readonly silentPatienceMs: number;
  readonly patienceMs: number;
  /** Time for all servers to say whether they are ready. Default 4,000. */
  readonly probeMs: number;
  /** The server in use has so much of a start before others are asked, these a tenth of it one by one. Default 1,000. */
  readonly headStartMs: number;
  /** Longest wait between two probes while offline; they are fully jittered. Default 4,500. */
  readonly retryMaxMs: number;
  /** How long after a first good probe a second one must succeed. Default 1,500. */
  readonly steadyMs: number;
  /** A server that answers 5xx is asked whether it is ready at most so often. Default 30,000. */
  readonly recheckMs: number;
}

/**
 * A link in use that goes silent is offline after 13/12 × `quietMs` + `pingMs` + `silentPatienceMs` = 9.5 s at the latest;
 * one that heals is online after `probeMs` + `retryMaxMs` + `steadyMs` = 10 s, or half of that on average.
 */
export const defaultTimings: UpstreamTimings = {
  dialMs: 3_000,
  handshakeMs: 5_000,
  firstByteMs: 65_000,
  quietMs: 4_900,
  pingMs: 2_200,
  slowMs: 8_000,
  silentPatienceMs: 2_000,
  patienceMs: 5_000,
  probeMs: 4_000,
  headStartMs: 1_000,
  retryMaxMs: 4_500,
  steadyMs: 1_500,
  recheckMs: 30_000,
};
