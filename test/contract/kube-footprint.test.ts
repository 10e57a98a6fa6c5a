import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@selvedge/hack/setup';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { json, newTestAuthority, startTestServer } from './http-server.ts';

const program = `
  import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
  import { createKubeClient, createKubeMetrics, fileCredentials, resources } from '@selvedge/kube';
  const [ca, ...servers] = process.argv.slice(2);
  const main = async () => {
    for (const server of servers) {
      const deps = { clock: systemClock, random: Math.random, log: silentLogger };
      const credentials = fileCredentials({ certificateAuthority: { text: ca } }, deps);
      const metrics = createKubeMetrics(createMetricsRegistry());
      const client = createKubeClient({ servers: [server], userAgent: 'test' }, { ...deps, credentials, metrics });
      await client.listAll(resources.pods, { signal: new AbortController().signal });
      await client.close();
    }
    console.log(JSON.stringify(process.moduleLoadList));
  };
  main();
`;

it('loads no undici in a bundle that has used HTTP/2 and HTTP/1.1', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-footprint-'));
  const authority = await newTestAuthority();
  await using two = await startTestServer({ protocol: 'h2', authority });
  await using one = await startTestServer({ protocol: 'http/1.1', authority });
  for (const server of [one, two])
    server.handler = (_request, response) => json(response, { metadata: {}, items: [] });
  try {
    const outfile = join(folder, 'program.cjs');
    const stdin = { contents: program, resolveDir: import.meta.dirname };
    await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' });
    const argv = [process.execPath, outfile, authority.keyPair.certificate, one.url, two.url] as const;
    const { stdout } = await run({ argv });
    const modules = JSON.parse(stdout) as string[];
    expect(modules).toContain('NativeModule http2');
    expect(modules.filter((name) => name.includes('undici'))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
