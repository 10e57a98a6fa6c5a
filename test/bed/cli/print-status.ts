import type { BedStatus } from '../status.ts';
import { table } from './terminal.ts';

function nodeRow(node: BedStatus['nodes'][number]): string[] {
  const ready = node.powered ? (node.ready ?? '-') : 'off';
  return [node.name, node.site, node.address, node.kind, node.agent, node.containerd, ready];
}

/** A bed's status for people. */
export function renderStatus(status: BedStatus): string {
  const stopped = status.processes.filter(({ running }) => !running).map(({ name }) => name);
  const running = status.processes.length - stopped.length;
  const facts = [
    ['bed', status.name],
    ['kubernetes', `${status.kubernetes} at ${status.server}`],
    ['kubeconfig', status.kubeconfig],
    ['processes', `${running} running${stopped.length === 0 ? '' : `, stopped: ${stopped.join(', ')}`}`],
  ];
  const sites = [
    ['SITE', 'LAN', 'ROUTER', 'WAN'],
    ...status.sites.map((site) => [site.name, site.lan, site.address, site.wan]),
  ];
  const nodes = [
    ['NODE', 'SITE', 'ADDRESS', 'HOST', 'AGENT', 'CONTAINERD', 'READY'],
    ...status.nodes.map(nodeRow),
  ];
  return [facts, sites, nodes]
    .filter((rows) => rows === facts || rows.length > 1)
    .map(table)
    .join('\n\n');
}
