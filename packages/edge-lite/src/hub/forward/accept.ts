import { notAcceptable, parseAccept } from '../answers/index.ts';

const asJson: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);

/**
 * What upstream is asked for: the JSON alternatives of an `accept` header, with their parameters (`as=Table`). Throws
 * `Unsupported` (406) when there are none. Source: kubernetes.io "Kubernetes API Concepts", resource representations.
 */
export function jsonAccept(accept: string | undefined): string {
  if (accept === undefined || accept.trim() === '') return 'application/json';
  const kept = parseAccept(accept)
    .filter(({ type, quality }) => asJson.has(type) && quality > 0)
    .map(({ parameters }) =>
      ['application/json', ...Array.from(parameters, (pair) => pair.join('='))].join(';'),
    );
  if (kept.length === 0) throw notAcceptable(['application/json']);
  return [...new Set(kept)].join(',');
}
