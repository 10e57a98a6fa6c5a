import type { Pod } from '@selvedge/kube/types';

import { podRules } from './pod-rules.ts';
import type { Rule } from './rule.ts';

/** Why a pod cannot run here. */
export interface Refusal {
  /** `spec.volumes[1].persistentVolumeClaim` */
  readonly field: string;
  /** `spec.volumes[1].persistentVolumeClaim is not supported on this node: persistent volumes` */
  readonly message: string;
}

/** A value that says no more than leaving the field out. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function refusal(field: string, why: string | undefined): Refusal {
  const text = `${field} is not supported on this node`;
  return { field, message: why === undefined ? text : `${text}: ${why}` };
}

function onlyWords({ only = [], note }: Rule, value: unknown): string {
  const words = `${JSON.stringify(value)} is not one of ${only.map((one) => JSON.stringify(one)).join(', ')}`;
  return note === undefined ? words : `${note}: ${words}`;
}

function checkInside(field: string, { names, fields }: Rule, value: object): readonly Refusal[] {
  const strange = names === undefined ? [] : Object.keys(value).filter((name) => !names.test(name));
  if (strange.length > 0)
    return strange.map((name) => refusal(`${field}[${name}]`, 'nothing here hands it out'));
  if (fields === undefined) return [];
  if (!Array.isArray(value)) return checkFields(field, fields, value);
  return value.flatMap((item: unknown, i) => checkFields(`${field}[${i}]`, fields, item));
}

function checkValue(field: string, rule: Rule, value: unknown): readonly Refusal[] {
  if (rule.support === 'ignored') return [];
  if (rule.support === 'refused') return isEmpty(value) ? [] : [refusal(field, rule.note)];
  if (rule.only !== undefined && !rule.only.includes(value)) return [refusal(field, onlyWords(rule, value))];
  return typeof value === 'object' && value !== null ? checkInside(field, rule, value) : [];
}

function checkFields(
  path: string,
  rules: Readonly<Record<string, Rule>>,
  value: unknown,
): readonly Refusal[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, held]: [string, unknown]) => {
    const rule = rules[name];
    const field = `${path}.${name}`;
    if (rule !== undefined) return checkValue(field, rule, held);
    // A field that this version has never heard of may change everything.
    return held === undefined ? [] : [refusal(field, 'it is not known here')];
  });
}

/** Every field of the pod that this node cannot do justice to; none for a pod that can run. */
export function refusals(pod: Pod): readonly Refusal[] {
  return checkFields('spec', podRules, pod.spec);
}
