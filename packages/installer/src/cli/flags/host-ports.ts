import { type HostPort, parseHostPort, plainHost } from '@selvedge/kit/net';
import { InvalidArgumentError } from 'commander';
import { words } from './common.ts';

/** `tunnel.example.com:443`, several with commas; each host as it is spelled in certificates too. */
export const hostPorts = (text: string): readonly HostPort[] =>
  words(text).map((word) => {
    const server = parseHostPort(word);
    if (server !== undefined) return { ...server, host: plainHost(server.host) };
    throw new InvalidArgumentError(`${JSON.stringify(word)} is not host:port, as tunnel.example.com:443`);
  });
