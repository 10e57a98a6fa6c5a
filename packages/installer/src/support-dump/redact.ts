import { redact } from '@selvedge/kit';
import { type JsonObject, isList, isObject } from '@selvedge/kube';

const hidden = '[redacted]';

/** What fields and arguments are called that hold a secret. Their names may go on: `bootstrap-token`, `clientKeyData`. */
const secretName =
  /(?:pass(?:word|phrase|wd)|secret|token|credentials?|authorization|api[-_]?key|private[-_]?key|key[-_]?data)/i;
/** Of these all values, whatever they are called. */
const contents = new Set(['data', 'stringData', 'binaryData']);
/** Says nothing else, and is the whole object once more. */
const left = new Set(['managedFields', 'kubectl.kubernetes.io/last-applied-configuration']);

/** Where a secret is, and not the secret: `/etc/selvedge/token`. */
const isPath = (value: string): boolean => /^\/[\w./-]*$/.test(value);

/** `token: …`, `--password=…`, `"clientKeyData":"…"`, but not where it only says where the secret is. */
const assigned = new RegExp(
  String.raw`((?:^|[\s,{;&?"'])-{0,2}[\w.-]{0,64}${secretName.source}[\w.-]{0,64}["']?\s*[:=]\s*["']?)` +
    String.raw`(?!/[\w./-]*(?:["'\s,;&}]|$))[^\s"',;&}]+`,
  'gim',
);
/** An argument whose value is the next one. */
const flag = new RegExp(String.raw`^--?[\w-]{0,64}${secretName.source}[\w-]{0,64}$`, 'i');
/** PEM in base64, as kubeconfigs and Secrets have it. */
const encodedPem = /LS0tLS1CRUdJTi[\w+/=]+/g;

/** A text without what could let anybody in. Pure. */
export function redactText(text: string): string {
  return redact(text).replaceAll(encodedPem, hidden).replaceAll(assigned, `$1${hidden}`);
}

function redactList(list: readonly unknown[]): readonly unknown[] {
  return list.map((value, at) => {
    const before = list[at - 1];
    const isSecret = typeof before === 'string' && flag.test(before) && typeof value === 'string';
    return isSecret && !isPath(value) ? hidden : redactJson(value);
  });
}

const blanked = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.keys(value).map((name) => [name, hidden]));

function redactField(name: string, value: unknown): unknown {
  if (contents.has(name) && isObject(value)) return blanked(value);
  if (typeof value === 'string' && secretName.test(name)) return isPath(value) ? value : hidden;
  if (name === 'env' && isList(value)) return value.map(redactVariable);
  return redactJson(value);
}

/** What a container is told by its environment may be anything. */
function redactVariable(variable: unknown): unknown {
  if (!isObject(variable) || !('value' in variable)) return redactJson(variable);
  return { ...variable, value: hidden };
}

/** The same of an object of the API, whose fields have names. Pure. */
export function redactJson(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (isList(value)) return redactList(value);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !left.has(name));
  return Object.fromEntries(kept.map(([name, field]) => [name, redactField(name, field)]));
}
