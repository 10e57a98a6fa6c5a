import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('loads neither undici nor grpc-js with the node:http2 transport', async () => {
  const program = `
    await import(${JSON.stringify(join(import.meta.dirname, '../index.ts'))});
    await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.filename ?? process.cwd() + '/x').cache);
    console.log(JSON.stringify([...process.moduleLoadList, ...loaded]));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  const modules = JSON.parse(stdout) as string[];
  expect(modules).toContain('NativeModule http2');
  expect(modules.filter((name) => /undici|grpc-js/.test(name))).toEqual([]);
});
