import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createManualClock } from '@selvedge/kit/testing';
import type { LifecycleHandler } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { podOf } from '../plan/testing.ts';
import { createHooks } from './hooks.ts';
import { hookUrl, httpGet } from './http-hook.ts';

const { signal } = new AbortController();
const clock = createManualClock();

function targetOf(preStop?: LifecycleHandler) {
  const ports = [{ name: 'web', containerPort: 8080 }];
  const lifecycle = preStop === undefined ? undefined : { preStop };
  return {
    pod: podOf(),
    container: { name: 'main', ports, lifecycle },
    containerId: 'main-0',
    podIP: '10.0.0.7',
  };
}

describe('a hook', () => {
  const run = (handler: LifecycleHandler | undefined, exitCode = 0) => {
    const commands: (readonly string[])[] = [];
    const exec = async ({ command }: { command: readonly string[] }) => {
      commands.push(command);
      return { exitCode, stdout: 'out', stderr: 'err' };
    };
    const hooks = createHooks({ runtime: { exec }, httpGet, clock });
    return { done: hooks.preStop(targetOf(handler), signal), commands };
  };

  it('that is none is over at once', async () => {
    await run(undefined).done;
  });

  it('runs a command in the container', async () => {
    const { done, commands } = run({ exec: { command: ['sh', '-c', 'x'] } });
    await done;
    expect(commands).toEqual([['sh', '-c', 'x']]);
  });

  it('fails with its command', async () => {
    await expect(run({ exec: { command: ['sh'] } }, 3).done).rejects.toThrow(
      'command \'sh\' exited with 3: err, message: "outerr"',
    );
  });

  it('sleeps', async () => {
    const { done } = run({ sleep: { seconds: 5 } });
    await clock.advance(5000);
    await done;
  });
});

describe('an HTTP hook', () => {
  it.each([
    [{ port: 80 }, 'http://10.0.0.7/'],
    [{ port: 'web', path: 'stop?now' }, 'http://10.0.0.7:8080/stop?now'],
    [{ port: '81', host: 'fd00::1', scheme: 'HTTPS' }, 'https://[fd00::1]:81/'],
  ])('asks %j', (action, url) => {
    expect(hookUrl(action, targetOf()).url.href).toBe(url);
  });

  it('needs a port that there is', () => {
    expect(() => hookUrl({ port: 'none' }, targetOf())).toThrow("couldn't find port: none in container main");
  });

  describe('asked of a server', () => {
    let server: Server;
    beforeEach(async () => {
      server = createServer((request, response) => {
        response.statusCode = request.headers['x-hook'] === 'yes' ? 204 : 500;
        response.end();
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    afterEach(() => void server.close());

    it('succeeds by the status of the answer', async () => {
      const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await httpGet({ url, headers: { 'X-Hook': 'yes' } }, signal);
      await expect(httpGet({ url, headers: {} }, signal)).rejects.toThrow('status 500');
    });
  });
});
