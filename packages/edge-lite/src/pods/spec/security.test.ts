import { NamespaceMode, SecurityProfile_ProfileType as ProfileType } from '@selvedge/containerd-grpc-types';
import { describe, expect, it } from 'vitest';
import type { PodSecurityContext, SecurityContext } from '@selvedge/kube/types';

import { containerWith, nodeFacts, podWith } from '../testing.ts';
import { type ImageUser, containerSecurity, sandboxSecurity, verifyNonRoot } from './security.ts';

const noUser: ImageUser = { uid: undefined, username: '' };

interface Settings {
  readonly pod?: PodSecurityContext;
  readonly container?: SecurityContext;
  readonly user?: ImageUser;
}

function secure({ pod: securityContext, container: own, user = noUser }: Settings) {
  const container = containerWith({ securityContext: own });
  const node = nodeFacts({ thermalThrottlePaths: ['/sys/devices/system/cpu/cpu0/thermal_throttle'] });
  return containerSecurity({ pod: podWith({ securityContext }), container, user, node });
}

describe('the security context', () => {
  it.each<[string, Settings, object]>([
    [
      'has no filter and all of the root file system by default',
      {},
      {
        privileged: false,
        readonlyRootfs: false,
        noNewPrivs: false,
        seccomp: { profileType: ProfileType.Unconfined, localhostRef: '' },
      },
    ],
    [
      "takes the pod's user and groups",
      { pod: { runAsUser: 7, runAsGroup: 8, fsGroup: 9, supplementalGroups: [10] } },
      {
        runAsUser: { value: 7n },
        runAsGroup: { value: 8n },
        supplementalGroups: [9n, 10n],
        runAsUsername: '',
      },
    ],
    [
      "prefers the container's",
      { pod: { runAsUser: 7, runAsGroup: 8 }, container: { runAsUser: 0 } },
      { runAsUser: { value: 0n }, runAsGroup: { value: 8n } },
    ],
    ["takes the image's number", { user: { uid: 65_535, username: '' } }, { runAsUser: { value: 65_535n } }],
    [
      "takes the image's name",
      { user: { uid: undefined, username: 'nginx' } },
      { runAsUser: undefined, runAsUsername: 'nginx' },
    ],
    [
      'adds and drops capabilities',
      { container: { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } } },
      {
        capabilities: {
          addCapabilities: ['NET_ADMIN'],
          dropCapabilities: ['ALL'],
          addAmbientCapabilities: [],
        },
      },
    ],
    ['keeps to no new privileges', { container: { allowPrivilegeEscalation: false } }, { noNewPrivs: true }],
    [
      'is privileged and read-only where asked',
      { container: { privileged: true, readOnlyRootFilesystem: true } },
      { privileged: true, readonlyRootfs: true },
    ],
    [
      "takes the runtime's filter from the pod",
      { pod: { seccompProfile: { type: 'RuntimeDefault' } } },
      { seccomp: { profileType: ProfileType.RuntimeDefault, localhostRef: '' } },
    ],
    [
      "prefers the container's filter",
      {
        pod: { seccompProfile: { type: 'RuntimeDefault' } },
        container: { seccompProfile: { type: 'Unconfined' } },
      },
      { seccomp: { profileType: ProfileType.Unconfined, localhostRef: '' } },
    ],
    [
      'finds profiles on the node',
      { container: { seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' } } },
      { seccomp: { profileType: ProfileType.Localhost, localhostRef: '/var/lib/selvedge/seccomp/a/b.json' } },
    ],
    [
      'shows all of /proc where asked',
      { container: { procMount: 'Unmasked' } },
      { maskedPaths: [], readonlyPaths: [] },
    ],
  ])('%s', (_title, settings, expected) => {
    expect(secure(settings)).toMatchObject(expected);
  });

  it('hides what containers must not see', () => {
    const { maskedPaths, readonlyPaths } = secure({});
    expect(maskedPaths).toContain('/proc/kcore');
    expect(maskedPaths).toContain('/sys/devices/system/cpu/cpu0/thermal_throttle');
    expect(readonlyPaths).toContain('/proc/sys');
  });

  it('needs the name of a profile', () => {
    expect(() => secure({ container: { seccompProfile: { type: 'Localhost' } } })).toThrow(
      'localhostProfile must be set if seccompProfile type is Localhost.',
    );
  });

  it.each([
    [{}, { network: NamespaceMode.POD, pid: NamespaceMode.CONTAINER, ipc: NamespaceMode.POD }],
    [{ shareProcessNamespace: true }, { pid: NamespaceMode.POD }],
    [
      { hostNetwork: true, hostPID: true, hostIPC: true },
      { network: NamespaceMode.NODE, pid: NamespaceMode.NODE, ipc: NamespaceMode.NODE },
    ],
  ])('with %o joins the namespaces %o', (spec, expected) => {
    expect(sandboxSecurity(podWith(spec)).namespaceOptions).toMatchObject(expected);
  });

  it('lets the sandbox be privileged if a container is, and filters it always', () => {
    const privileged = containerWith({ securityContext: { privileged: true } });
    const sandbox = sandboxSecurity(podWith({ initContainers: [privileged] }));
    expect(sandbox).toMatchObject({ privileged: true, seccomp: { profileType: ProfileType.RuntimeDefault } });
  });
});

describe('runAsNonRoot', () => {
  const where = '(pod: "web_shop(uid-web)", container: main)';
  const verify = ({ pod: securityContext, container: own, user = noUser }: Settings): void => {
    verifyNonRoot(podWith({ securityContext }), containerWith({ securityContext: own }), user);
  };
  const nonRoot = { runAsNonRoot: true };

  it.each<[string, Settings]>([
    ['nobody asks', { user: { uid: 0, username: '' } }],
    [
      'the container is exempt',
      { pod: nonRoot, container: { runAsNonRoot: false }, user: { uid: 0, username: '' } },
    ],
    ['another user is set', { pod: { ...nonRoot, runAsUser: 5 }, user: { uid: 0, username: '' } }],
    ['the image has another user', { pod: nonRoot, user: { uid: 5, username: '' } }],
    ['the image says nothing', { pod: nonRoot }],
  ])('passes when %s', (_title, settings) => {
    expect(() => verify(settings)).not.toThrow();
  });

  it.each<[Settings, string]>([
    [{ pod: nonRoot, container: { runAsUser: 0 } }, `container's runAsUser breaks non-root policy ${where}`],
    [
      { container: nonRoot, user: { uid: 0, username: '' } },
      `container has runAsNonRoot and image will run as root ${where}`,
    ],
    [
      { pod: nonRoot, user: { uid: undefined, username: 'www' } },
      `container has runAsNonRoot and image has non-numeric user (www), cannot verify user is non-root ${where}`,
    ],
    [
      { pod: nonRoot, user: { uid: 2 ** 31, username: '' } },
      `container has runAsNonRoot and image has an invalid user id (2147483648). (Must be 1-(2147483647)): must be between 0 and 2147483647, inclusive ${where}`,
    ],
  ])('of %o fails', (settings, message) => {
    expect(() => verify(settings)).toThrow(expect.objectContaining({ message, code: 'Invalid' }));
  });
});
