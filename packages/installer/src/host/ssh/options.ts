/** How one SSH server is reached and what shows who we are. */
export interface SshOptions {
  readonly host: string;
  /** Default 22. */
  readonly port?: number;
  readonly user: string;
  /** Private keys in the format of OpenSSH or PEM, tried in this order after those of the agent. */
  readonly keys?: readonly { readonly text: Buffer; readonly passphrase?: string }[];
  /** The socket of an `ssh-agent`. */
  readonly agent?: string;
  /** The text of `known_hosts` files. A server that is not in it is refused. */
  readonly knownHosts: string;
  /** A server in between, through which the TCP connection goes. Its own key is verified too. */
  readonly bastion?: SshOptions;
  /** For the connection and the handshake. Default 20,000. */
  readonly dialTimeoutMs?: number;
}

export const sshDefaults = {
  port: 22,
  dialTimeoutMs: 20_000,
  /** Programs that run at a time; others wait. OpenSSH's server refuses more than 10 (`MaxSessions`), and may still count one that ended. */
  maxSessions: 8,
  /** A server that does not answer three of them is lost. */
  keepAliveMs: 5_000,
  keepAliveCount: 3,
  /** A server that does not end the connection by then is left. */
  endTimeoutMs: 2_000,
} as const;
