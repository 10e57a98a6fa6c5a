import { ensureAssets, run } from '@selvedge/hack/setup';

export interface Request {
  readonly kind: 'quantity' | 'label' | 'field' | 'encode' | 'decode' | 'merge' | 'diff';
  /** Of objects: the seed of a random one. */
  readonly text?: string;
  /** Of objects: apiVersion and kind, `v1 Node`. */
  readonly other?: string;
  readonly values?: Readonly<Record<string, string>>;
  readonly object?: unknown;
  readonly patch?: unknown;
  /** Base64. */
  readonly data?: string;
}

export interface Answer {
  readonly error?: boolean;
  readonly canonical?: string;
  readonly sum?: string;
  readonly compare?: number;
  readonly milli?: string;
  readonly matches?: boolean;
  readonly object?: Readonly<Record<string, unknown>>;
  /** Base64. */
  readonly data?: string;
}

/** In one run of the program: a megabyte of what it writes is kept. Objects are larger than the rest. */
const batchSizes = { objects: 30, others: 3_000 };

async function askBatch(requests: readonly Request[]): Promise<readonly Answer[]> {
  const input = requests.map((request) => `${JSON.stringify(request)}\n`).join('');
  const { 'kube-oracle': oracle } = await ensureAssets({ binaries: ['kube-oracle'] });
  const { stdout } = await run({ argv: [oracle], input });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

/** What Kubernetes' own apimachinery says to each. */
export async function ask(requests: readonly Request[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const holdsObjects = requests.some(({ kind }) => ['encode', 'decode', 'diff', 'merge'].includes(kind));
  const batchSize = holdsObjects ? batchSizes.objects : batchSizes.others;
  for (let from = 0; from < requests.length; from += batchSize)
    answers.push(...(await askBatch(requests.slice(from, from + batchSize))));
  return answers;
}
