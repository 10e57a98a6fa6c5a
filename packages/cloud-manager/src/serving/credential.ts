import { bearerTokenOf } from '@selvedge/kit/serve';
import type { Credential } from '@selvedge/kube';
import type { Asked } from './small-server.ts';

/** What a request shows; a certificate's key was proved by TLS, its signer is for whoever authenticates to judge. */
export const credentialOf = ({ request, link }: Pick<Asked, 'link' | 'request'>): Credential => ({
  certificate: link.certificate,
  bearerToken: bearerTokenOf(request.headers),
});
