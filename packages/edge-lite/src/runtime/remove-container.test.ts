import type { GrpcTransport } from '@selvedge/containerd-grpc-types';
import { type ErrorCode, SelvedgeError } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { createCri } from './cri.ts';
import { removeContainer } from './remove-container.ts';

type Answer = 'done' | ErrorCode;

/** What is called, in order, of a runtime that answers the calls of each method in turn; the last answer stays. */
async function callsOf(answers: Readonly<Record<string, readonly Answer[]>>): Promise<readonly string[]> {
  const calls: string[] = [];
  const transport: Pick<GrpcTransport, 'unary'> = {
    async unary(path) {
      const method = path.slice(path.lastIndexOf('/') + 1);
      const answer = answers[method]?.[calls.filter((call) => call === method).length] ?? 'done';
      calls.push(method);
      if (answer !== 'done') throw new SelvedgeError(`${method} refused`, { code: answer });
      return new Uint8Array();
    },
  };
  const never = (): never => {
    throw new Error('there are no streams here');
  };
  const cri = createCri({ ...transport, serverStream: never, close: async () => undefined });
  try {
    await removeContainer(cri, 'one', { signal: new AbortController().signal });
  } catch (error) {
    calls.push(error instanceof Error ? error.message : 'no error');
  }
  return calls;
}

it('asks for nothing else when the container is removed', async () => {
  expect(await callsOf({})).toEqual(['RemoveContainer']);
});

it('deletes the task that is in the way, and removes the container then', async () => {
  const calls = await callsOf({ RemoveContainer: ['Conflict'] });
  expect(calls).toEqual(['RemoveContainer', 'Kill', 'Wait', 'Delete', 'RemoveContainer']);
});

it('does so too when the task has ended, or goes meanwhile', async () => {
  const calls = await callsOf({ RemoveContainer: ['Conflict'], Kill: ['NotFound'], Delete: ['NotFound'] });
  expect(calls).toEqual(['RemoveContainer', 'Kill', 'Wait', 'Delete', 'RemoveContainer']);
});

it('says why it was refused by a runtime that has no tasks', async () => {
  const calls = await callsOf({ RemoveContainer: ['Conflict'], Kill: ['Unsupported'] });
  expect(calls).toEqual(['RemoveContainer', 'Kill', 'RemoveContainer refused']);
});

it.each(['Internal', 'NotFound'] as const)('leaves the task alone after %s', async (code) => {
  expect(await callsOf({ RemoveContainer: [code] })).toEqual(['RemoveContainer', 'RemoveContainer refused']);
});
