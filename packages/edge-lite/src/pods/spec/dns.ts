import type { PodDNSConfigOption, Pod } from '@selvedge/kube/types';

import type { PodEvent } from '../ports.ts';
import { podRef, podTitle } from './identity.ts';
import type { NodeFacts, ResolverConfig } from './node-facts.ts';
import { quote } from './quote.ts';

const maxServers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;
/** glibc 2.28 aborts on a longer one. */
const maxSearchLength = 253;

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];
const optionName = (option: string): string => option.split(':', 1)[0] ?? option;

function mergeOptions(base: readonly string[], own: readonly PodDNSConfigOption[]): readonly string[] {
  const merged = new Map(base.map((option) => [optionName(option), option]));
  for (const { name = '', value = '' } of own) merged.set(name, value === '' ? name : `${name}:${value}`);
  return [...merged.values()];
}

/** Reads `resolv.conf`: servers add up, the last `search` counts, a later option replaces one of its name. */
export function parseResolverConfig(text: string): ResolverConfig {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    if (keyword === 'search') {
      searches = values.filter((value) => value !== '.').map((value) => value.replace(/\.$/, ''));
    }
    if (keyword === 'options') for (const option of values) options.set(optionName(option), option);
  }
  return { servers, searches, options: [...options.values()] };
}

export interface PodResolver {
  readonly config: ResolverConfig;
  /** What a person should know of it. */
  readonly events: readonly PodEvent[];
}

function warning(reason: string, message: string): PodEvent {
  return { type: 'Warning', reason, message };
}

function usesCluster({ spec }: Pod): boolean {
  const policy = spec?.dnsPolicy ?? 'ClusterFirst';
  return policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && spec?.hostNetwork !== true);
}

function clusterSearches(pod: Pod, { clusterDomain, resolver }: NodeFacts): readonly string[] {
  if (clusterDomain === '') return resolver.searches;
  const { namespace } = podRef(pod);
  const own = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return unique([...own, ...resolver.searches]);
}

function policyResolver(pod: Pod, node: NodeFacts): PodResolver {
  if (pod.spec?.dnsPolicy === 'None') {
    return { config: { servers: [], searches: [], options: [] }, events: [] };
  }
  if (!usesCluster(pod)) return { config: node.resolver, events: [] };
  if (node.clusterDNS.length > 0) {
    const searches = clusterSearches(pod, node);
    return { config: { servers: node.clusterDNS, searches, options: ['ndots:5'] }, events: [] };
  }
  const message =
    `pod: ${quote(podTitle(pod))}. kubelet does not have ClusterDNS IP configured and cannot create Pod using ` +
    '"ClusterFirst" policy. Falling back to "Default" policy.';
  return { config: node.resolver, events: [warning('MissingClusterDNS', message)] };
}

function fittingSearches(searches: readonly string[]): readonly string[] {
  const fitting = searches.slice(0, maxSearches).filter((search) => search.length <= maxSearchLength);
  while (fitting.join(' ').length > maxSearchCharacters) fitting.pop();
  return fitting;
}

function limit({ config, events }: PodResolver): PodResolver {
  const servers = config.servers.slice(0, maxServers);
  const searches = fittingSearches(config.searches);
  const added: PodEvent[] = [];
  if (servers.length < config.servers.length) {
    const text = `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`;
    added.push(warning('DNSConfigForming', text));
  }
  if (searches.length < config.searches.length) {
    const text = `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`;
    added.push(warning('DNSConfigForming', text));
  }
  return { config: { ...config, servers, searches }, events: [...events, ...added] };
}

/** The pod's resolver. Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
export function podResolver(pod: Pod, node: NodeFacts): PodResolver {
  const { config, events } = policyResolver(pod, node);
  const own = pod.spec?.dnsConfig;
  if (own === undefined) return limit({ config, events });
  const merged = {
    servers: unique([...config.servers, ...(own.nameservers ?? [])]),
    searches: unique([...config.searches, ...(own.searches ?? [])]),
    options: mergeOptions(config.options, own.options ?? []),
  };
  return limit({ config: merged, events });
}
