import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock as clock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { createLocalHost } from '../host/index.ts';
import { hasSynced } from './services.ts';

const { signal } = new AbortController();
const queued = (labels: string): string =>
  `kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds${labels} 1.7e+09`;
const synced = (labels: string, time = '1.7e+09'): string =>
  `kubeproxy_sync_proxy_rules_last_timestamp_seconds${labels} ${time}`;
const [v4, v6] = ['{ip_family="IPv4"}', '{ip_family="IPv6"}'];

it.each([
  ['each family that it serves', [queued(v4), queued(v6), synced(v4), synced(v6)], true],
  ['one family of two', [queued(v4), queued(v6), synced(v4)], false],
  ['none yet', [queued(v4)], false],
  ['what older releases tell', [queued(''), synced('')], true],
  ['none yet, as those tell', [queued(''), synced('', '0')], false],
  ['something that is no kube-proxy', ['go_goroutines 7'], undefined],
])('kube-proxy tells of its rules: %s', async (_what, lines, told) => {
  const server = createServer((_request, response) => response.end(`# HELP\n${lines.join('\n')}\n`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using host = createLocalHost({ clock });
  expect(await hasSynced(host, signal, port)).toBe(told);
  server.close();
  await once(server, 'close');
  expect(await hasSynced(host, signal, port)).toBeUndefined();
});
