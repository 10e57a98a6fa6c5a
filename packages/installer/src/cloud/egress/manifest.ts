import { SelvedgeError } from '@selvedge/kit';
import { type YAMLMap, type YAMLSeq, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { TextChange } from '../../steps/index.ts';
import { socketFolder } from '../beside-api-server/config.ts';

export const egressConfigFile = '/etc/kubernetes/egress-selector.yaml';
export const manifestFile = '/etc/kubernetes/manifests/kube-apiserver.yaml';
export const egressFlag = '--egress-selector-config-file';
const addressTypesFlag = '--kubelet-preferred-address-types';
const addressTypes = `${addressTypesFlag}=Hostname,InternalIP`;

const volumes = [
  { name: 'selvedge-egress', path: socketFolder, type: 'DirectoryOrCreate' },
  { name: 'selvedge-egress-config', path: egressConfigFile, type: 'File' },
] as const;

function unknown(what: string): SelvedgeError {
  return new SelvedgeError(`${manifestFile} ${what}`, {
    code: 'Unsupported',
    hint: `edit it by hand: docs/operations/cloud-manager.md, "Let the API server reach the edge"`,
  });
}

function listIn(map: YAMLMap, key: string): YAMLSeq {
  const list: unknown = map.get(key, true);
  if (isSeq(list) && list.items.length > 0 && list.flow !== true) return list;
  throw unknown(`has no block-style list "${key}"`);
}

/** The container of the API server, and the pod that it is in. */
function apiServerOf(text: string): { readonly pod: YAMLMap; readonly container: YAMLMap } {
  const document = parseDocument(text);
  const pod: unknown = document.errors.length === 0 ? document.get('spec', true) : undefined;
  if (!isMap(pod)) throw unknown('is not a Pod manifest');
  const container = listIn(pod, 'containers').items.find(
    (one) => isMap(one) && one.get('name') === 'kube-apiserver',
  );
  if (!isMap(container)) throw unknown('has no container kube-apiserver');
  return { pod, container };
}

interface Flag {
  readonly value: string;
  readonly from: number;
  readonly to: number;
}

function flagsOf(container: YAMLMap): readonly Flag[] {
  return listIn(container, 'command').items.map((item) => {
    const [from, to] = (isScalar(item) ? item.range : undefined) ?? [];
    if (!isScalar(item) || typeof item.value !== 'string' || from === undefined || to === undefined) {
      throw unknown('has a command that is not a list of strings');
    }
    return { value: item.value, from, to };
  });
}

/** What stands before the items of a list, and where what is added to it begins. */
function endOf(
  text: string,
  list: YAMLSeq,
): { readonly at: number; readonly indent: string; readonly isLine: boolean } {
  const first = list.range?.[0] ?? 0;
  const indent = ' '.repeat(first - (text.lastIndexOf('\n', first - 1) + 1));
  const end = list.range?.[1] ?? 0;
  // A list ends where the next key begins, or at the end of its last item.
  const at = text.lastIndexOf('\n', end - 1) + 1;
  const isLine = text.slice(at, end).trim() === '';
  const next = text.indexOf('\n', end);
  if (isLine) return { at, indent, isLine };
  return next < 0 ? { at: text.length, indent, isLine: false } : { at: next + 1, indent, isLine: true };
}

function added(text: string, list: YAMLSeq, lines: readonly string[]): TextChange {
  const { at, indent, isLine } = endOf(text, list);
  const block = lines.map((line) => `${indent}${line}\n`).join('');
  return { at, old: '', new: isLine ? block : `\n${block}` };
}

/** Asks for kubelets by the names of their nodes: shops have the same addresses. */
function addressTypesChange(flags: readonly Flag[]): readonly TextChange[] {
  const flag = flags.find(({ value }) => value.startsWith(`${addressTypesFlag}=`));
  if (flag === undefined || flag.value === addressTypes) return [];
  return [{ at: flag.from, old: flag.value, new: addressTypes }];
}

/** Whether the API server goes through an egress selector, and whether it is ours. */
export function egressOf(text: string): 'none' | 'ours' | 'other' {
  const flag = flagsOf(apiServerOf(text).container).find(({ value }) => value.startsWith(`${egressFlag}=`));
  if (flag === undefined) return 'none';
  return flag.value === `${egressFlag}=${egressConfigFile}` ? 'ours' : 'other';
}

/** The port of the API server, as its flags say it. */
export function apiServerPort(text: string): number {
  const flag = flagsOf(apiServerOf(text).container).find(({ value }) => value.startsWith('--secure-port='));
  return Number(flag?.value.split('=')[1] ?? 6_443);
}

/**
 * What makes the static pod of an API server go through cloud-manager's socket: two flags, two volumes. Nothing else of the
 * text is touched. Throws `Unsupported` for one that kubeadm did not write, or that has an egress selector already. Pure.
 */
export function manifestChanges(text: string): readonly TextChange[] {
  const { pod, container } = apiServerOf(text);
  if (egressOf(text) !== 'none') throw unknown('already has an EgressSelector');
  const flags = flagsOf(container);
  const hasTypes = flags.some(({ value }) => value.startsWith(`${addressTypesFlag}=`));
  const newFlags = [`- ${egressFlag}=${egressConfigFile}`, ...(hasTypes ? [] : [`- ${addressTypes}`])];
  const mounts = volumes.flatMap(({ name, path }) => [
    `- mountPath: ${path}`,
    `  name: ${name}`,
    '  readOnly: true',
  ]);
  const hostPaths = volumes.flatMap(({ name, path, type }) => [
    '- hostPath:',
    `    path: ${path}`,
    `    type: ${type}`,
    `  name: ${name}`,
  ]);
  return [
    added(text, listIn(container, 'command'), newFlags),
    ...addressTypesChange(flags),
    added(text, listIn(container, 'volumeMounts'), mounts),
    added(text, listIn(pod, 'volumes'), hostPaths),
  ].toSorted((a, b) => a.at - b.at);
}
