/** How long the steps of a dial are waited for, in milliseconds. */
export interface DialTimeouts {
  /** TCP connection, name look-up included. */
  readonly dialMs: number;
  /** TLS handshake, and the answer of a proxy. */
  readonly handshakeMs: number;
}
