import { readFile } from 'node:fs/promises';
import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import type { TunnelCredentials } from '@selvedge/tunnel';
import { createTunnelAgent } from '@selvedge/tunnel/agent';

/** What the process of our agent is told, in a file. */
export interface AgentSetup {
  readonly server: string;
  readonly credentials: TunnelCredentials;
}

/** The agent alone: in edge-lite it shares a process with the rest. */
async function main(file: string): Promise<void> {
  const { server, credentials } = JSON.parse(await readFile(file, 'utf8')) as AgentSetup;
  const agent = createTunnelAgent(
    { servers: [{ address: server }], carriers: ['tls'] },
    {
      clock: systemClock,
      log: silentLogger,
      random: Math.random,
      metrics: createMetricsRegistry(),
      credentials: async () => credentials,
      allow: ({ port }) => ({ kind: 'allowed', connect: { host: '127.0.0.1', port } }),
    },
  );
  await agent.start(new AbortController().signal);
}

void main(process.argv[2] ?? '');
