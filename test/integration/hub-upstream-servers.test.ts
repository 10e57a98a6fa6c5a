import { systemClock } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../packages/edge-lite/src/hub/request.ts';
import { waitFor } from '../bed/wait.ts';
import { json, newTestAuthority, startTestServer } from '../contract/http-server.ts';
import { get, startUpstream } from './hub-upstream-world.ts';

const user = { username: 'ignored', groups: [] };
const asNode: Caller = { kind: 'node', user };

describe('API servers', () => {
  it('are told apart by their readiness, at the start and later', async () => {
    const authority = await newTestAuthority();
    await using sick = await startTestServer({ protocol: 'h2', authority });
    await using well = await startTestServer({ protocol: 'h2', authority });
    sick.handler = (_request, response) => json(response, {}, 500);
    well.handler = (_request, response) => json(response, {});
    const credentials = { certificateAuthority: authority.keyPair.certificate };
    const timings = { recheckMs: 0 };
    await using world = await startUpstream([sick.url, well.url], { credentials, timings });
    expect((await world.until('online')).server).toBe(`127.0.0.1:${well.port}`);
    [sick.handler, well.handler] = [well.handler, sick.handler];
    expect((await world.upstream.send(asNode, get('/version'))).status).toBe(500);
    await waitFor({ what: 'the other server' }, systemClock, async () => {
      return (
        world.upstream.connectivity.kind === 'online' &&
        world.upstream.connectivity.server === `127.0.0.1:${sick.port}`
      );
    });
    expect((await world.upstream.send(asNode, get('/version'))).status).toBe(200);
    sick.handler = well.handler;
    expect((await world.upstream.send(asNode, get('/version'))).status).toBe(500);
    expect((await world.until('offline')).reason).toBe('not ready (500)');
  });

  it('that hang are left, though they answer pings', async () => {
    const authority = await newTestAuthority();
    await using hung = await startTestServer({ protocol: 'h2', authority });
    await using well = await startTestServer({ protocol: 'h2', authority });
    hung.handler = well.handler = (_request, response) => json(response, {});
    const credentials = { certificateAuthority: authority.keyPair.certificate };
    const timings = { slowMs: 200, headStartMs: 100 };
    await using world = await startUpstream([hung.url, well.url], { credentials, timings });
    expect((await world.until('online')).server).toBe(`127.0.0.1:${hung.port}`);
    hung.handler = () => undefined;
    expect((await world.upstream.send(asNode, get('/version'))).status).toBe(200);
    expect(world.upstream.connectivity).toMatchObject({ server: `127.0.0.1:${well.port}` });
  });
});
