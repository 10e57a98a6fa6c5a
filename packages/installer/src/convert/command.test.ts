import { describe, expect, it } from 'vitest';
import type { CloudOptions } from '../cloud/index.ts';
import { cloudFor } from './command.ts';

const cloud: CloudOptions = { tunnelServers: [], mode: 'auto', dns: false, values: {} };

describe('the cloud’s part', () => {
  it('is not beside API servers by itself where machines are entered through kubelets', () => {
    expect(cloudFor(cloud, { viaKubelet: true }).mode).toBe('deployment');
    expect(cloudFor({ ...cloud, mode: 'unit' }, { viaKubelet: true }).mode).toBe('unit');
    expect(cloudFor(cloud, {}).mode).toBe('auto');
  });
});
