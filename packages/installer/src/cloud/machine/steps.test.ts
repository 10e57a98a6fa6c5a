import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createHostFiles } from '../../files/index.ts';
import { createExecutors, noSources } from '../../steps/index.ts';
import { hastyClock } from '../../steps/testing-clock.ts';
import { egressSocket } from '../beside-api-server/config.ts';
import { kubeadmManifest } from '../egress/testing-manifest.ts';
import { egressSteps, managerSteps } from './steps.ts';
import { createTestMachine } from './testing-machine.ts';

test.each([
  ['cloud-manager', managerSteps({ sha256: '', config: '' })],
  ['the API server', egressSteps(kubeadmManifest)],
])('%s whose socket does not come names the log of who makes it', async (_which, steps) => {
  await using on = await createTestMachine();
  await rm(on.at(egressSocket));
  const { signal } = new AbortController();
  const { host } = on;
  const files = createHostFiles(host);
  const executors = createExecutors({ host, files, run: '1', clock: hastyClock(), sources: noSources });
  const waits = steps.filter((one) => one.kind === 'await');
  expect(waits).toHaveLength(1);
  for (const step of waits) {
    await expect(executors.await.apply(step, { kind: 'nothing' }, signal)).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      hint: expect.stringContaining('journalctl -u cloud-manager.service on'),
    });
  }
});
