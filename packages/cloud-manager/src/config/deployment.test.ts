import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfigFile } from '@selvedge/kube';
import { beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { checkConfig } from './config.ts';
import { expand } from './expand.ts';
import type { Config } from './schema.ts';

const folder = join(import.meta.dirname, '../../../../deploy/cloud-manager');

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
          readonly volumeMounts: readonly { readonly mountPath: string }[];
        }[];
      };
    };
  };
}

interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly ports: readonly { readonly port: number; readonly targetPort: string }[] };
}

const read = async (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
let pod: Deployment['spec']['template']['spec'];
let services: readonly Service[];
let config: Config;

beforeAll(async () => {
  const [deployment] = parseAllDocuments(await read('deployment.yaml')).map(
    (each) => each.toJS() as Deployment,
  );
  if (deployment === undefined) throw new Error('there is no Deployment');
  pod = deployment.spec.template.spec;
  services = parseAllDocuments(await read('services.yaml')).map((each) => each.toJS() as Service);
  const { data } = parse(await read('config.yaml')) as { readonly data: Readonly<Record<string, string>> };
  const environment = { POD_IP: '10.244.1.9' };
  config = parseConfigFile('config.yaml', data['cloud-manager.yaml'] ?? '', (document) =>
    checkConfig(expand(document, environment)),
  );
});

test('the config that is deployed is one, and each server says where it is itself', () => {
  expect(config.egress?.tls?.advertise).toEqual({ host: '10.244.1.9', port: 8_132 });
  expect(pod.containers[0]?.args).toContain('/etc/selvedge/config/cloud-manager.yaml');
});

test('each port that it listens on is the container’s, and each Service leads to one of them', () => {
  const listening = [
    ...config.tunnel.listen,
    ...[config.egress?.tls, config.kubeletProxy, config.connectProxy, config.webhook, config.health].map(
      (part) => part?.listen,
    ),
  ].map((listen) => listen?.port);
  const ports = pod.containers[0]?.ports ?? [];
  expect(new Set(ports.map(({ containerPort }) => containerPort))).toEqual(new Set(listening));
  const targets = services.flatMap(({ spec }) => spec.ports.map(({ targetPort }) => targetPort));
  expect(ports.map(({ name }) => name)).toEqual(expect.arrayContaining(targets));
});

test('API servers find the webhook where it is registered', () => {
  const { name, port } = config.webhook?.reach.service ?? {};
  const service = services.find(({ metadata }) => metadata.name === name);
  expect(service?.spec.ports).toContainEqual(expect.objectContaining({ port, targetPort: 'webhook' }));
});

test('all files are mounted', () => {
  const mounts = pod.containers[0]?.volumeMounts.map(({ mountPath }) => mountPath) ?? [];
  const account = '/var/run/secrets/kubernetes.io/serviceaccount';
  const files = JSON.stringify(config).matchAll(/"(\/[^"]+)"/g);
  for (const [, file = ''] of files) {
    expect([...mounts, account].some((mount) => file.startsWith(`${mount}/`))).toBe(true);
  }
});

test('a pod that ends has time to drain', () => {
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(config.tunnel.drainSeconds + 15);
});
