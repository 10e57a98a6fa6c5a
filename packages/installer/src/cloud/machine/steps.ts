import { hash } from 'node:crypto';
import type { Step } from '../../steps/index.ts';
import { egressConfiguration } from '../egress/configuration.ts';
import { egressConfigFile, manifestChanges, manifestFile } from '../egress/manifest.ts';
import { egressSocket, paths, socketFolder } from '../beside-api-server/config.ts';
import { managerUnit } from '../beside-api-server/service.ts';

/** What files of a machine come from, by name. */
export const sources = {
  program: 'cloud-manager',
  certificate: 'tunnel.crt',
  key: 'tunnel.key',
  ca: 'tunnel-ca.crt',
  kubeconfig: 'kubeconfig',
} as const;

export interface ManagerStepsOptions {
  /** Of the executable. */
  readonly sha256: string;
  readonly config: string;
}

const startMs = 60_000;
const managerService = 'cloud-manager.service';
const user = 'cloud-manager';
const forManager = { mode: 0o640, group: user } as const;

/** cloud-manager as a unit of a machine. Pure. */
export function managerSteps({ sha256, config }: ManagerStepsOptions): readonly Step[] {
  const units = '/etc/systemd/system';
  return [
    { kind: 'times', paths: ['/etc', units, `${units}/multi-user.target.wants`, '/usr/local/bin'] },
    { kind: 'user', name: user, description: 'Selvedge cloud-manager' },
    { kind: 'tree', path: paths.folder, mode: 0o755 },
    { kind: 'folder', path: paths.pki, mode: 0o755 },
    // Those of the certificate are replaced when it is renewed.
    { kind: 'secret', path: paths.certificate, source: sources.certificate, mode: 0o644 },
    { kind: 'secret', path: paths.ca, source: sources.ca, mode: 0o644 },
    { kind: 'secret', path: paths.key, source: sources.key, ...forManager },
    { kind: 'secret', path: paths.kubeconfig, source: sources.kubeconfig, ...forManager },
    { kind: 'file', path: paths.config, mode: 0o644, content: config },
    { kind: 'upload', path: paths.program, mode: 0o755, source: sources.program, sha256 },
    { kind: 'file', path: paths.unit, mode: 0o644, content: managerUnit() },
    { kind: 'reload' },
    { kind: 'tree', path: socketFolder, mode: 0o755 },
    { kind: 'unit', name: managerService },
    { kind: 'await', path: egressSocket, unit: managerService, timeoutMs: startMs },
  ];
}

/** The API server of a machine goes through cloud-manager's socket. `manifest`: of its static pod. Pure. */
export function egressSteps(manifest: string): readonly Step[] {
  const sha256 = hash('sha256', manifest);
  return [
    { kind: 'times', paths: ['/etc/kubernetes', '/etc/kubernetes/manifests'] },
    { kind: 'await', path: egressSocket, unit: managerService, timeoutMs: startMs },
    { kind: 'file', path: egressConfigFile, mode: 0o600, content: egressConfiguration() },
    {
      kind: 'edit',
      path: manifestFile,
      sha256,
      changes: manifestChanges(manifest),
      marks: [egressConfigFile, socketFolder],
    },
  ];
}
