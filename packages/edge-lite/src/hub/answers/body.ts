import type { HubResponse } from '../request.ts';

export async function* bodyChunks({
  body,
}: Pick<HubResponse, 'body'>): AsyncGenerator<Uint8Array, void, void> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}

/** Of answers whose size has a bound. */
export async function wholeBody(response: Pick<HubResponse, 'body'>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyChunks(response)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
