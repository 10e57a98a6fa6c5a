import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';

/** What a target does with a connection, as its first line asks: `take 1000`. */
type Wish = 'give' | 'take' | 'flood' | 'echo';

const chunk = Buffer.alloc(64 * 1024);

/** So many bytes, as fast as they are taken. */
async function give(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0 && !socket.destroyed; left -= chunk.length) {
    if (!socket.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) await once(socket, 'drain');
  }
}

/** Answers once so many bytes have come. */
function take(socket: Socket, bytes: number): void {
  let seen = 0;
  socket.on('data', (data: Buffer) => {
    seen += data.length;
    if (seen >= bytes) socket.end('done');
  });
}

async function serve(socket: Socket, [wish, count]: readonly [Wish, number]): Promise<void> {
  if (wish === 'take') take(socket, count);
  else if (wish === 'echo') socket.pipe(socket);
  else await give(socket, wish === 'flood' ? Infinity : count);
  if (wish === 'give') socket.end();
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (first: Buffer) => {
    const end = first.indexOf('\n');
    const [wish = '', count = ''] = first.toString('latin1', 0, end).split(' ');
    socket.pause().unshift(first.subarray(end + 1));
    // A drain that never comes is a socket that was closed.
    void serve(socket, [wish as Wish, Number(count)]).catch(() => socket.destroy());
    if (wish !== 'flood') socket.resume();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
