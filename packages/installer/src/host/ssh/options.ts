/** How one SSH server is reached, and the credentials for it. */
export interface SshOptions {
  /** The name or address of the server. */
  readonly host: string;
  /** The TCP port of the server. Default 22. */
  readonly port?: number;
  /** The user to log in as. */
  readonly user: string;
  /** Private keys in OpenSSH or PEM format, tried in this order after those of the agent. */
  readonly keys?: readonly { readonly text: Buffer; readonly passphrase?: string }[];
  /** The path of the socket of an `ssh-agent`. */
  readonly agent?: string;
  /** The text of `known_hosts` files. A server that is not listed there is refused. */
  readonly knownHosts: string;
  /** A jump host, through which the TCP connection goes. Its host key is verified too. */
  readonly bastion?: SshOptions;
  /** The time limit for the connection and the handshake, in milliseconds. Default 20,000. */
  readonly dialTimeoutMs?: number;
}

/** Defaults of `SshOptions`, and limits of every connection. */
export const sshDefaults = {
  port: 22,
  dialTimeoutMs: 20_000,
  /**
   * Programs that run at a time; others wait. OpenSSH's server refuses more than 10 (`MaxSessions`), and a busy one still counts those
   * whose end it reads together with the beginning of the next: as many again.
   */
  maxSessions: 5,
  /** A server that does not answer three of them is lost. */
  keepAliveMs: 5_000,
  keepAliveCount: 3,
  /** A server that does not end the connection by then is left. */
  endTimeoutMs: 2_000,
} as const;
