import { basename } from 'node:path';
import { isList, isObject } from '@selvedge/kube';
import { type NodeFacts, flagOf, plainLines, rancherConfigs } from '../facts/index.ts';
import { places } from '../places.ts';
import { argumentsOf, valueIn } from './kubelet-facts.ts';

/** An agent of k3s, or of RKE2, which is k3s with other components: `k3s`, `k3s-agent.service`. */
export interface RancherAgent {
  readonly kind: 'k3s' | 'rke2';
  readonly unit: string;
}

/** A text, and where it stands. */
type Said = readonly [where: string, text: string];

/** Who gets the values of these arguments. */
const programs: Readonly<Record<string, string>> = {
  'kubelet-arg': 'kubelet',
  'kube-proxy-arg': 'kube-proxy',
};

/** Source: k3s, `GetArgs` in `pkg/daemons/config`. */
const onCommandLine = /--?(kubelet-arg|kube-proxy-arg)(?:=|\s+)((?:--)?kubeconfig[+-]?=\S*)/g;
const inFile = /^(?:--)?kubeconfig[+-]?=/;

/** What the unit has, and its files of variables, in plain lines. */
function commandLines({ units, files }: NodeFacts, { unit }: RancherAgent): readonly Said[] {
  const { text = '', environmentFiles = [] } = units[unit] ?? {};
  const all: readonly Said[] = [
    [unit, text],
    ...environmentFiles.map((path): Said => [path, files[path]?.text ?? '']),
  ];
  return all.map(([where, said]) => [where, plainLines(said)]);
}

/** Its configuration file, beside which is the folder with parts of it. Source: docs.k3s.io, "Configuration File". */
export function rancherConfig(facts: NodeFacts, agent: RancherAgent): string {
  const { kind, unit } = agent;
  const [named] = rancherConfigs(commandLines(facts, agent).map(([, text]) => text));
  return named ?? flagOf(argumentsOf(facts, kind, unit), 'config') ?? `/etc/rancher/${kind}/config.yaml`;
}

function fieldsOf(text: string): readonly (readonly [string, unknown])[] {
  // With what cannot be read it cannot start either.
  const read = valueIn(text);
  return isObject(read) ? Object.entries(read) : [];
}

const another = (argument: string, value: string, where: string): string =>
  `its ${programs[argument]} is told another kubeconfig: ${argument} ${value} in ${where}`;

/** What a file says against ours, whose `+` adds to what is read before it. */
function inConfig([path, text]: Said, isLater: boolean): readonly string[] {
  return fieldsOf(text).flatMap(([key, value]) => {
    const argument = key.replace(/\+$/, '');
    if (programs[argument] === undefined) return [];
    const values = (isList(value) ? value : [value]).map(String).filter((one) => inFile.test(one));
    if (values.length > 0) return values.map((one) => another(argument, one, path));
    if (!isLater || key !== argument) return [];
    return [
      `${path} is read after ${places.rancherDropIn} and replaces its ${argument}: write ${argument}+ there`,
    ];
  });
}

/**
 * Why a kubeconfig of ours would not be read, or would take the place of one that somebody chose, for people. Values on a command
 * line go before those of files, and later files before earlier ones. Source: k3s, `pkg/configfilearg`. Pure.
 */
export function argumentObstacles(facts: NodeFacts, agent: RancherAgent): readonly string[] {
  const config = rancherConfig(facts, agent);
  const told = commandLines(facts, agent).flatMap(([where, text]) =>
    [...text.matchAll(onCommandLine)].map(([, argument = '', value = '']) => another(argument, value, where)),
  );
  const files = Object.entries(facts.files).flatMap(([path, { text = '' }]) => {
    const isPart = path.startsWith(`${config}.d/`);
    const name = basename(path);
    if (path !== config && (!isPart || name === places.rancherDropIn)) return [];
    return inConfig([path, text], isPart && name > places.rancherDropIn);
  });
  return [...told, ...files];
}
