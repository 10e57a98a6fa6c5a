import { getCases } from './read-api-gets.ts';
import { listCases } from './read-api-lists.ts';
import { watchCases } from './read-api-watches.ts';
import { type ReadApiCase, ReadApiClient, type ReadApiMode, type ReadApiWorld } from './read-api-world.ts';

export type { ReadApiCase } from './read-api-world.ts';

/** The read API's contract: the same cases against kube-apiserver and against the hub. */
const readApiCases: readonly ReadApiCase[] = [...getCases, ...listCases, ...watchCases];

export function casesFor(mode: ReadApiMode): readonly ReadApiCase[] {
  return readApiCases.filter(({ modes }) => modes === undefined || modes.includes(mode));
}

export async function runReadApiCase({ run }: ReadApiCase, world: ReadApiWorld): Promise<void> {
  await run(new ReadApiClient(world), world);
}

/** Reads once what the cases read, so that a hub holds it when the cloud goes. */
export async function warmReadApi(world: ReadApiWorld): Promise<void> {
  const client = new ReadApiClient(world);
  for (const path of [`${client.base}/configmaps`, `${client.base}/pods`]) {
    await client.take(`${path}?watch=true&timeoutSeconds=5`, 1);
    await client.json(`${path}?resourceVersion=0`);
  }
  for (const path of ['/api', '/apis', '/api/v1', '/apis/apps/v1', '/version', '/openapi/v3'])
    await client.send(path);
}
