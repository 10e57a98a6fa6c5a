import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exitCodeOf } from './exit-code.ts';
import { runAgent } from './run.ts';

const host = {
  on: () => undefined,
  off: () => undefined,
  exit: (code: number): never => {
    throw new Error(`exit ${code}`);
  },
};

describe('a start that fails', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'run-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const config = (): string => `apiVersion: edge-lite.selvedge.io/v1alpha1
kind: Config
nodeName: shop-7
root: ${join(folder, 'root')}
server: { urls: [https://203.0.113.9:6443], caHash: 'sha256:${'0a'.repeat(32)}' }
`;
  /** The exit code, and what was said. */
  const start = async (text: string): Promise<{ code: number; said: string }> => {
    const configFile = join(folder, 'config.yaml');
    await writeFile(configFile, text);
    const said: string[] = [];
    const taken = { random: () => 0.5, host, kill: () => undefined, systemd: { env: {}, pid: 1 } };
    const options = {
      configFile,
      driver: 'node',
      write: (line: string) => said.push(line),
      ...taken,
    } as const;
    const code = await runAgent(options).catch((error: unknown) => {
      said.push(explain(error));
      return exitCodeOf(error);
    });
    return { code, said: said.join('\n') };
  };

  test('for its config ends with 2', async () => {
    const { code, said } = await start(config().replace('shop-7', 'Shop_7'));
    expect(code).toBe(2);
    expect(said).toContain('nodeName');
  });

  test('for want of a token ends with 3', async () => {
    const { code, said } = await start(config());
    expect(code).toBe(3);
    expect(said).toContain('server.tokenFile');
  });

  test('for its state on disk ends with 4', async () => {
    const state = join(folder, 'root/var/lib/selvedge');
    await mkdir(state, { recursive: true });
    await mkdir(join(state, 'state.db'));
    const { code, said } = await start(config());
    expect(code).toBe(4);
    expect(said).toContain('state unusable');
  });
});
