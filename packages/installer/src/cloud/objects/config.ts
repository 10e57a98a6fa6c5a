import { hash } from 'node:crypto';
import type { KubeObject } from '@selvedge/kube';
import { stringify } from 'yaml';
import { chartObject } from './metadata.ts';
import type { ManagerConfig } from './values.ts';

/** As helm's `toYaml` writes it, so that both install the same text. Source: sigs.k8s.io/yaml. */
const yamlOf = (config: ManagerConfig): string =>
  stringify(config, { sortMapEntries: true, indentSeq: false, singleQuote: true, lineWidth: 0 }).trimEnd();

/** What pods have as an annotation: another config is other pods. */
export const configChecksum = (config: ManagerConfig): string => hash('sha256', yamlOf(config));

export const configMap = (config: ManagerConfig): KubeObject =>
  chartObject({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: 'cloud-manager',
    fields: { data: { 'cloud-manager.yaml': `${yamlOf(config)}\n` } },
  });
