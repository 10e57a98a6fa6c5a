import { parseAccept } from '../answers/index.ts';

/** The same type however it is written: `spec.v2@v1.0` and `spec.v2.v1.0` name one OpenAPI encoding. */
export function canonicalMedia(contentType: string): string {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim());
  const relevant = parameters.filter((part) => /^(?:as|g|v)=/.test(part)).toSorted();
  return [type.toLowerCase().replace('@', '.'), ...relevant].join(';');
}

function accepts(wanted: string, held: string): boolean {
  const [wantedType = '', ...wantedParameters] = wanted.split(';');
  const [heldType = '', ...heldParameters] = held.split(';');
  if (wantedParameters.join(';') !== heldParameters.join(';')) return false;
  const [family = ''] = heldType.split('/');
  return wantedType === heldType || wantedType === '*/*' || wantedType === `${family}/*`;
}

/** Texts that servers have called plain although they are JSON. */
const asJson = (media: string): string => (media === 'text/plain' ? 'application/json' : media);

/** The first of `held` types that a client takes, in the order of its wishes. */
export function chooseMedia(accept: string | undefined, held: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return chooseMedia('application/json,*/*', held);
  for (const { type, parameters } of parseAccept(accept)) {
    const relevant = [...parameters].filter(([name]) => ['as', 'g', 'v'].includes(name));
    const wanted = canonicalMedia([type, ...relevant.map(([name, value]) => `${name}=${value}`)].join(';'));
    const found =
      held.find((one) => accepts(wanted, one)) ?? held.find((one) => accepts(wanted, asJson(one)));
    if (found !== undefined) return found;
  }
  return undefined;
}
