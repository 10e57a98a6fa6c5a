import { hubRole, hubRoleBinding } from '@selvedge/api';
import { type KubeClient, resources } from '@selvedge/kube';
import type { Pod, TokenRequest } from '@selvedge/kube/types';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import type { CertificateRequest, KeyPair } from '../bed/pki/certificate.ts';
import { connect, connectWith, startControlPlane } from './kube-world.ts';

const signal = new AbortController().signal;

export const nodeName = 'edge';
export const namespace = 'default';
export const account = 'app';

/** A control plane with the rights of hubs, a Node, and pods bound to it and elsewhere. */
export interface HubCluster extends AsyncDisposable {
  readonly controlPlane: PrivateControlPlane;
  readonly admin: KubeClient;
  /** As the node. */
  readonly node: KubeClient;
  /** A client certificate that the cluster's authority signed. */
  issue(request: CertificateRequest): Promise<KeyPair>;
  as(keyPair: KeyPair): KubeClient;
  withToken(token: string): KubeClient;
  /** A pod on a node; nothing runs it. */
  createPod(name: string, on: string): Promise<Pod>;
  /** A token of the pod's account, bound to it, as its node asks for it. */
  requestToken(pod: Pod, audiences?: readonly string[]): Promise<string>;
}

const nodeCertificate: CertificateRequest = {
  commonName: `system:node:${nodeName}`,
  organizations: ['system:nodes'],
  usages: ['client'],
};

const podOn = (name: string, on: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    nodeName: on,
    serviceAccountName: account,
    containers: [{ name: 'main', image: 'main' }],
    volumes: [
      { name: 'config', configMap: { name: 'config' } },
      { name: 'secret', secret: { secretName: 'secret' } },
    ],
  },
});

export async function startHubCluster(
  options: Parameters<typeof startControlPlane>[0] = {},
): Promise<HubCluster> {
  const controlPlane = await startControlPlane(options);
  const { client: admin } = await connect(controlPlane.kubeconfig);
  const url = `https://127.0.0.1:${controlPlane.port}`;
  const clients: KubeClient[] = [admin];
  const open = (credentials: Parameters<typeof connectWith>[1]): KubeClient => {
    const client = connectWith(url, { certificateAuthority: controlPlane.ca, ...credentials });
    clients.push(client);
    return client;
  };
  const as = ({ certificate, key }: KeyPair): KubeClient =>
    open({ clientCertificate: { certificate, privateKey: key } });
  await admin.create(resources.clusterRoles, hubRole, { signal });
  await admin.create(resources.clusterRoleBindings, hubRoleBinding, { signal });
  const at = { metadata: { name: account, namespace } };
  await admin.create(resources.serviceAccounts, at, { signal });
  await admin.create(resources.nodes, { metadata: { name: nodeName } }, { signal });
  const node = as(await controlPlane.issue(nodeCertificate));
  return {
    controlPlane,
    admin,
    node,
    issue: (request) => controlPlane.issue(request),
    as,
    withToken: (bearerToken) => open({ bearerToken }),
    createPod: (name, on) => admin.create(resources.pods, podOn(name, on), { signal }),
    async requestToken({ metadata: { name = '', uid = '' } }, audiences = []) {
      const body: TokenRequest = {
        metadata: {},
        spec: { audiences, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
      };
      const to = { namespace, name: account, subresource: 'token' };
      const { status } = await admin.createSubresource(resources.serviceAccounts, to, { body, signal });
      return status?.token ?? '';
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close();
      await controlPlane.stop();
    },
  };
}
