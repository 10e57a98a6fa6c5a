import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import { createTestHub } from '../../packages/edge-lite/src/hub/endpoint/testing.ts';

/**
 * An endpoint in the network namespace of this process, until its input ends. Pods are 10.99.1.0/24; one of them,
 * 10.99.1.9, does not know the hub yet, and is led to a server that says what it hears. Writes one line of JSON.
 */
async function main(): Promise<void> {
  const echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const program = promisify(execFile);
  const hub = await createTestHub(
    {
      isLocal: (from) => from.startsWith('127.') || from === '169.254.77.1' || from.startsWith('10.99.1.'),
      relayFor: (from) => from === '10.99.1.9',
      exec: async ([file, ...args]) => {
        await program(file, args);
      },
      upstream: {
        upgrade: () => Promise.reject(new Error('not asked for')),
        dialRaw: async () => connect(port, '127.0.0.1'),
      },
    },
    { linkLocalAddress: '169.254.77.1' },
  );
  process.stdout.write(`${JSON.stringify({ port: hub.endpoint.port, ca: hub.pki.caBundle })}\n`);
  process.stdin.resume();
  await once(process.stdin, 'end');
  await hub[Symbol.asyncDispose]();
  echo.close();
}

await main();
