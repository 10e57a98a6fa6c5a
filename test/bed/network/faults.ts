import { SelvedgeError } from '@selvedge/kit';
import { apiServerPort } from '../addresses.ts';
import { links } from './links.ts';

export const cutKinds = ['refused', 'blackhole'] as const;
/** `refused`: the router answers that there is no way; `blackhole`: packets vanish. Connections that are open are cut too. */
export type CutKind = (typeof cutKinds)[number];

/** What makes a WAN slow and lossy. Everything is optional and adds up. */
export interface Shape {
  /** In each direction. */
  readonly kilobitsPerSecond?: number;
  /** Share of packets lost, in each direction: 0 to 1. */
  readonly loss?: number;
  /** Added to each direction of a TCP connection, in milliseconds. */
  readonly latencyMs?: number;
  /** The latency varies by up to this much more, in milliseconds. */
  readonly jitterMs?: number;
  /** Each TCP connection is reset after a random time with this mean, in milliseconds. */
  readonly resetEveryMs?: number;
}

/** What is wrong with a site's WAN. Empty: nothing. */
export interface Faults {
  readonly cut?: CutKind;
  readonly shape?: Shape;
}

/**
 * The ports of the cloud whose TCP connections can be delayed and reset: the router's proxy listens on one port of its
 * own for each, because Node cannot ask where a redirected connection was meant to go.
 */
export const proxiedPorts: readonly number[] = [443, 5000, apiServerPort, 8132];
const firstProxyPort = 20_000;
/** Where the router's proxy listens for connections meant for the port of the cloud. */
export const proxyPort = (port: number): number => firstProxyPort + proxiedPorts.indexOf(port);

/** True when the faults ask for the TCP proxy. */
export function needsProxy({ shape }: Faults): boolean {
  return [shape?.latencyMs, shape?.jitterMs, shape?.resetEveryMs].some(
    (value) => value !== undefined && value > 0,
  );
}

function inRange(name: string, value: number | undefined, max: number): void {
  if (value === undefined || (value > 0 && value <= max)) return;
  throw new SelvedgeError(`${name} ${value} is out of range`, {
    code: 'Invalid',
    hint: `above 0, up to ${max}`,
  });
}

/** Throws `Invalid` unless the shape can be made. */
export function checkShape(shape: Shape): Shape {
  inRange('rate', shape.kilobitsPerSecond, 10_000_000);
  inRange('loss', shape.loss, 1);
  inRange('latency', shape.latencyMs, 60_000);
  inRange('jitter', shape.jitterMs, 60_000);
  inRange('reset interval', shape.resetEveryMs, 86_400_000);
  return shape;
}

/** Rules for packets that cross the WAN interface. nftables counts loss in millionths. */
function wanRules(faults: Faults, directions: readonly ('iifname' | 'oifname')[]): string[] {
  const wan = directions.map((direction) => `${direction} "${links.wanUplink}"`);
  const all = (verdict: string): string[] => wan.map((match) => `${match} ${verdict}`);
  if (faults.cut === 'blackhole') return all('drop');
  if (faults.cut === 'refused') return [...all('meta l4proto tcp reject with tcp reset'), ...all('reject')];
  const loss = faults.shape?.loss ?? 0;
  if (loss === 1) return all('drop');
  return loss === 0 ? [] : all(`numgen random mod 1000000 < ${Math.ceil(loss * 999_999)} drop`);
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  return [
    `  chain ${name} {`,
    `    type ${hook}; policy accept`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ].join('\n');
}

/**
 * The router's table of faults as one nft transaction, which replaces the one before. New connections to the proxied
 * ports go through the proxy only while the faults need it; those in the proxy stay in it. While the WAN is cut nothing
 * is redirected: the proxy would accept what the cloud cannot. Its own traffic passes `input` and `output`.
 */
export function faultRules(faults: Faults, cloud: string): string {
  const redirect = needsProxy(faults) && faults.cut === undefined;
  const redirects = proxiedPorts.map(
    (port) =>
      `iifname "${links.lanBridge}" ip daddr ${cloud} tcp dport ${port} redirect to :${proxyPort(port)}`,
  );
  return [
    'table inet faults',
    'delete table inet faults',
    'table inet faults {',
    chain('forward', 'filter hook forward priority filter - 10', wanRules(faults, ['iifname', 'oifname'])),
    chain('input', 'filter hook input priority filter - 10', wanRules(faults, ['iifname'])),
    chain('output', 'filter hook output priority filter - 10', wanRules(faults, ['oifname'])),
    chain('proxied', 'nat hook prerouting priority dstnat', redirect ? redirects : []),
    '}',
    '',
  ].join('\n');
}

/** The argv of tc(8) for each of the router's interfaces. The burst lets 10 ms of the rate through, at least two packets. */
export function rateCommands(faults: Faults): readonly (readonly string[])[] {
  const rate = faults.shape?.kilobitsPerSecond;
  return [links.wanUplink, links.lanBridge].map((link) => {
    if (rate === undefined) return ['qdisc', 'del', 'dev', link, 'root'];
    const burst = Math.max(3_200, Math.round((rate * 1_000 * 0.01) / 8));
    return [
      'qdisc',
      'replace',
      'dev',
      link,
      'root',
      'tbf',
      'rate',
      `${rate}kbit`,
      'burst',
      String(burst),
      'latency',
      '200ms',
    ];
  });
}

/** For people: `ok`, or what is wrong. */
export function describeFaults({ cut, shape = {} }: Faults): string {
  const parts = [
    cut === undefined ? undefined : `cut (${cut})`,
    shape.kilobitsPerSecond === undefined ? undefined : `${shape.kilobitsPerSecond} kbit/s`,
    shape.loss === undefined ? undefined : `${shape.loss * 100} % loss`,
    shape.latencyMs === undefined ? undefined : `${shape.latencyMs} ms latency`,
    shape.jitterMs === undefined ? undefined : `${shape.jitterMs} ms jitter`,
    shape.resetEveryMs === undefined ? undefined : `resets every ${shape.resetEveryMs} ms`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'ok' : parts.join(', ');
}
