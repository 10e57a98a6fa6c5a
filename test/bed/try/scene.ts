import { type Bed, defaultBedName } from '../bed.ts';
import type { BedDeps } from '../context.ts';

export interface TourOptions {
  /** The bed's name. */
  readonly bed: string;
  readonly signal: AbortSignal;
}

export interface TourDeps {
  readonly deps: BedDeps;
  /** Receives what people came for, a line at a time. */
  readonly print: (line: string) => void;
}

/** A bed that is up, and who looks at it. */
export interface Scene extends TourOptions, TourDeps {
  readonly cluster: Bed;
}

/** A site with its lite nodes, which is a unit. */
export interface Shop {
  readonly unit: string;
  readonly site: string;
  readonly nodes: readonly [string, ...string[]];
  /** Changes come here before they come to others. */
  readonly isPilot?: true;
}

/** The first shop is cut off, and its second node loses its power. */
export const nodes = ['lite-1', 'lite-2'] as const;
export const site = 'site-1';

export const shops: readonly Shop[] = [
  { unit: 'shop-1', site, nodes },
  { unit: 'shop-2', site: 'site-2', nodes: ['lite-3'] },
  { unit: 'shop-3', site: 'site-3', nodes: ['lite-4'], isPilot: true },
];

/** What people type for this bed. */
export const commandOf = ({ bed }: TourOptions): string =>
  bed === defaultBedName ? 'hack/bed' : `hack/bed --bed ${bed}`;

/** One thing that happened: what it means, what to type for it, and what it says then. */
export function tell(
  scene: Scene,
  title: string,
  { typed, said = '' }: { typed: string; said?: string },
): void {
  const answer = said.trimEnd();
  scene.print(`\n${title}\n$ ${commandOf(scene)} ${typed}${answer === '' ? '' : `\n${answer}`}`);
}

/** Shows what kubectl shows. */
export async function show(scene: Scene, title: string, args: readonly string[]): Promise<void> {
  const { stdout } = await scene.cluster.kubectl(args, { signal: scene.signal });
  tell(scene, title, { typed: `kubectl ${args.join(' ')}`, said: stdout });
}

/** A field of objects of the cluster, by a JSONPath. */
export async function field(scene: Scene, path: string, args: readonly string[]): Promise<string> {
  const { stdout } = await scene.cluster.kubectl(['get', ...args, '-o', `jsonpath=${path}`], {
    signal: scene.signal,
  });
  return stdout;
}

const wget = (url: string): readonly string[] => ['busybox', 'wget', '-qO-', url];

/** What a URL answers a node. */
export async function fetchFrom({ cluster }: Scene, node: string, url: string): Promise<string> {
  return (await cluster.exec(node, ['timeout', '5', ...wget(url)])).stdout.trim();
}

/** What people type for it. */
export const typedFetch = (node: string, url: string): string => `shell ${node} ${wget(url).join(' ')}`;
