import { SelvedgeError } from '@selvedge/kit';
import type { Container, Pod, ResourceFieldSelector } from '@selvedge/kube/types';

import { milliValue, wholeValue } from './amount.ts';
import { allContainers, podRef } from './identity.ts';
import type { ResourceList } from './node-facts.ts';
import { quote } from './quote.ts';

type TextMap = Readonly<Record<string, string>>;

function formatMap(map: TextMap): string {
  const names = Object.keys(map).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return names.map((name) => `${name}=${quote(map[name] ?? '')}`).join('\n');
}

function metadataMap(pod: Pod, path: string): TextMap | undefined {
  if (path === 'metadata.labels') return pod.metadata.labels ?? {};
  return path === 'metadata.annotations' ? (pod.metadata.annotations ?? {}) : undefined;
}

/**
 * A field of the pod's metadata as the downward API gives it.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
 */
export function metadataField(pod: Pod, path: string): string {
  const [, base = path, key] = /^(.+)\['(.*)'\]$/s.exec(path) ?? [];
  const map = metadataMap(pod, base);
  if (map !== undefined) return key === undefined ? formatMap(map) : (map[key] ?? '');
  if (key !== undefined) {
    throw new SelvedgeError(`fieldPath ${quote(path)} does not support subscript`, { code: 'Invalid' });
  }
  const { name, namespace, uid } = podRef(pod);
  const fields: TextMap = { 'metadata.name': name, 'metadata.namespace': namespace, 'metadata.uid': uid };
  const value = fields[path];
  if (value === undefined) throw new SelvedgeError(`unsupported fieldPath: ${path}`, { code: 'Invalid' });
  return value;
}

function containerNamed(pod: Pod, name: string): Container {
  const found = allContainers(pod).find((container) => container.name === name);
  if (found === undefined) throw new SelvedgeError(`container ${name} not found`, { code: 'Invalid' });
  return found;
}

const resourcePath = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/;

function amountOf(container: Container, path: string, allocatable: ResourceList): string | undefined {
  const [, kind, name] = resourcePath.exec(path) ?? [];
  if (name === undefined) {
    throw new SelvedgeError(`unsupported container resource : ${path}`, { code: 'Invalid' });
  }
  const { requests = {}, limits = {} } = container.resources ?? {};
  if (kind === 'requests') return requests[name];
  const own = limits[name];
  // What has no limit of its own is limited by the node; huge pages are never overcommitted.
  return milliValue(own) === 0n && !name.startsWith('hugepages-') ? allocatable[name] : own;
}

export interface ResourceFieldQuery {
  readonly pod: Pod;
  /** The container that asks; absent in volumes, where the selector must name one. */
  readonly container?: Container;
  readonly selector: ResourceFieldSelector;
  readonly allocatable: ResourceList;
}

/** A container's request or limit, divided and rounded up. */
export function resourceField({ pod, container, selector, allocatable }: ResourceFieldQuery): string {
  const { containerName = '', resource } = selector;
  const target =
    container === undefined || containerName !== '' ? containerNamed(pod, containerName) : container;
  const amount = amountOf(target, resource, allocatable);
  const valueOf = resource.endsWith('.cpu') ? milliValue : wholeValue;
  const divisor = valueOf(milliValue(selector.divisor) === 0n ? '1' : selector.divisor);
  return String((valueOf(amount) + divisor - 1n) / divisor);
}
