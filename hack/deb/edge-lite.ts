import { edgeLiteUnit, journalPlace } from '@selvedge/installer/release';
import { type ReleasedProgram, controlOf, nodeLibraries } from './control.ts';
import type { DebPackage } from './package.ts';
import { unitScripts } from './scripts.ts';

const unit = 'edge-lite.service';
const { journal } = journalPlace();

const description = `edge node of a Kubernetes cluster that works while the cloud is away
One process beside containerd: a local stand-in for the API server, a tunnel to the cloud,
and, instead of a kubelet, the pods of the node. Node.js is part of it.

It starts once there is /etc/selvedge/edge-lite.yaml; an example lies beside it.`;

const example = `# The config of edge-lite, to be /etc/selvedge/edge-lite.yaml. \`selvedge token create\` prints what to put here.
apiVersion: edge-lite.selvedge.io/v1alpha1
kind: Config
nodeName: shop-7
server:
  urls: ['https://203.0.113.9:6443']
  # Of the cluster's CA, as \`kubeadm token create --print-join-command\` prints it.
  caHash: 'sha256:0000000000000000000000000000000000000000000000000000000000000000'
  tokenFile: /etc/selvedge/token
modules:
  hub: {}
  pods:
    clusterDNS: [10.96.0.10]
`;

/** A node of `selvedge` has a unit and an executable of its own, under the same name, and the same state. */
const selvedgesNode = `if [ -e ${journal} ]; then
  if [ "$1" = remove ]; then
    echo 'edge-lite: selvedge convert or selvedge join set this node up, so its unit and its state stay: selvedge revert or selvedge reset removes them' >&2
  fi
  exit 0
fi
`;

/** What it made itself goes with a purge, unless volumes are still mounted in it: what is in them is not its own. */
const purge = `if [ "$1" = purge ]; then
  if [ ! -e /var/lib/selvedge ]; then
    :
  elif grep --quiet ' /var/lib/selvedge/' /proc/self/mounts; then
    echo 'edge-lite: volumes are mounted below /var/lib/selvedge, so it stays' >&2
  else
    find /var/lib/selvedge -xdev -mindepth 1 -delete || true
    # It may be a file system of its own.
    rmdir /var/lib/selvedge || true
  fi
  rm --force /etc/selvedge/edge-lite.yaml
fi
`;

/** The package of edge-lite: the executable, its unit and an example of its config. */
export function edgeLitePackage(program: ReleasedProgram): DebPackage {
  const scripts = unitScripts(unit, { beforeRemoval: selvedgesNode });
  const executable = '/usr/bin/edge-lite';
  return {
    control: controlOf('edge-lite', program, {
      Depends: `${nodeLibraries}, iproute2, mount, systemd`,
      Recommends: 'containerd | containerd.io',
      Description: description,
    }),
    files: [
      { path: executable.slice(1), content: program.executable, mode: 0o755 },
      { path: `usr/lib/systemd/system/${unit}`, content: edgeLiteUnit({ role: 'lite', executable }) },
      { path: 'etc/selvedge/edge-lite.yaml.example', content: example },
    ],
    scripts: { ...scripts, postrm: `${scripts.postrm}${purge}` },
  };
}
