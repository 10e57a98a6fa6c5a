import { SelvedgeError } from '@selvedge/kit';
import { type BodyReader, type Holder, type WholeAnswer, textAnswer } from '@selvedge/kit/serve';
import type { Asked } from './small-server.ts';

/** Who showed a certificate has room of its own. */
const holderOf = ({ remoteAddress, certificate }: Asked['link']): Holder => ({
  user: remoteAddress,
  remoteAddress,
  isReserved: certificate !== undefined,
});

/** The body of a request, within the reader's bounds. */
export async function readText({ request, link, signal }: Asked, bodies: BodyReader): Promise<string> {
  const length = request.headers['content-length'];
  const sent = { source: request, declared: length === undefined ? undefined : Number(length) };
  using body = await bodies.read(sent, holderOf(link), signal);
  return Buffer.from(body.bytes ?? []).toString('utf8');
}

const refusals = {
  Invalid: textAnswer(400, 'bad request\n'),
  ResourceExhausted: textAnswer(503, 'busy\n'),
  DeadlineExceeded: textAnswer(408, 'too slow\n'),
} as const;

/** What is answered to a request whose body could not be read or understood; undefined: it is no fault of the request. */
export function refusalOf(error: unknown): WholeAnswer | undefined {
  if (!(error instanceof SelvedgeError)) return undefined;
  if (error.details['status'] === 413) return textAnswer(413, 'too large\n');
  return error.code in refusals ? refusals[error.code as keyof typeof refusals] : undefined;
}
