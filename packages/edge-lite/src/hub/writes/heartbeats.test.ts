import { afterEach, describe, expect, it } from 'vitest';
import { hubRequest, jsonOf } from '../forward/testing.ts';
import type { HubRequest } from '../request.ts';
import { endWorlds, node, nodeName, nodePath, online, strategic, world } from './testing.ts';

afterEach(endWorlds);

describe('heartbeats of the own Node while the cloud is there', () => {
  const beat = (lastHeartbeatTime: string, status = 'True'): HubRequest =>
    hubRequest('PATCH', `${nodePath}/status`, {
      headers: strategic,
      body: { status: { conditions: [{ type: 'Ready', status, lastHeartbeatTime }] } },
    });
  const start = hubRequest('POST', '/api/v1/nodes', { body: { ...node, metadata: { name: nodeName } } });
  const minutesMs = 60_000;

  it('go up three times less, and each is answered as if it had', async () => {
    const { writes, forwarded, clock, replica } = await world(online);
    for (let minute = 0; minute <= 30; minute += 5) {
      const response = await writes(beat(`2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`));
      expect(response.status).toBe(200);
      await clock.advance(5 * minutesMs);
    }
    expect(forwarded).toHaveLength(3);
    expect(replica.overlays()).toEqual([]);
    const spared = await writes(beat('2026-01-01T00:35:00Z'));
    expect(await jsonOf(spared)).toMatchObject({
      metadata: { uid: 'n-1' },
      status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:35:00Z' }] },
    });
  });

  it('go up at once when something else changed, or the kubelet has just started', async () => {
    const { writes, forwarded } = await world(online);
    await writes(beat('2026-01-01T00:00:00Z'));
    await writes(beat('2026-01-01T00:05:00Z', 'False'));
    expect(forwarded).toHaveLength(2);
    await writes(start);
    await writes(beat('2026-01-01T00:05:10Z'));
    expect(forwarded).toHaveLength(4);
    await writes(beat('2026-01-01T00:10:10Z'));
    expect(forwarded).toHaveLength(4);
  });

  it('go up when the hub has written its own condition since the kubelet started', async () => {
    const { writes, forwarded } = await world(online);
    await writes(start);
    const condition = { type: 'selvedge.io/CloudReachable', status: 'True', reason: 'Online' };
    const body = { metadata: { uid: 'n-1' }, status: { conditions: [condition] } };
    await writes(hubRequest('PATCH', `${nodePath}/status`, { headers: strategic, body }));
    await writes(beat('2026-01-01T00:00:00Z'));
    expect(forwarded).toHaveLength(3);
    await writes(beat('2026-01-01T00:05:00Z'));
    expect(forwarded).toHaveLength(3);
  });

  it('go up at once when they bring other labels along', async () => {
    const { writes, forwarded } = await world(online);
    await writes(beat('2026-01-01T00:00:00Z'));
    const body = { metadata: { labels: { a: 'c' } } };
    await writes(hubRequest('PATCH', `${nodePath}/status`, { headers: strategic, body }));
    expect(forwarded).toHaveLength(2);
  });

  it('are tried again when the API server did not take one', async () => {
    const here = await world(online);
    here.forward = async () => ({ status: 500, headers: {}, body: Buffer.from('{}') });
    await here.writes(beat('2026-01-01T00:00:00Z'));
    await here.writes(beat('2026-01-01T00:00:01Z'));
    expect(here.forwarded).toHaveLength(2);
  });

  it('are the API server’s to refuse when they make no sense', async () => {
    const { writes, forwarded } = await world(online);
    await writes(beat('2026-01-01T00:00:00Z'));
    const body = { metadata: { uid: 'another' }, status: {} };
    await writes(hubRequest('PATCH', `${nodePath}/status`, { headers: strategic, body }));
    expect(forwarded).toHaveLength(2);
  });
});
