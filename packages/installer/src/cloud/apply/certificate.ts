import { X509Certificate } from 'node:crypto';
import { managerNamespace } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { KeyPair } from '@selvedge/kit/x509';
import { ifFound, resources } from '@selvedge/kube';
import type { Secret } from '@selvedge/kube/types';
import { authoritySecret, pairIn, pairSecret, tlsSecret } from '../certificates/secret.ts';
import { signThere } from '../certificates/sign-there.ts';
import { newTunnelAuthority, newTunnelCertificate, servingDays } from '../certificates/tunnel.ts';
import { withMachine } from '../machine/run.ts';
import type { CloudChange, CloudDeps, ControlPlaneMachine } from '../types.ts';
import type { Ledger } from './ledger.ts';
import { applyMade } from './objects.ts';

type CertificateChange = Extract<CloudChange, { kind: 'certificate' }>;
type Pair = KeyPair & { readonly ca: string };

const dayMs = 86_400_000;

const secretNamed = (
  name: string,
  { cluster, signal }: Pick<CloudDeps, 'cluster' | 'signal'>,
): Promise<Secret | undefined> =>
  ifFound(cluster.get(resources.secrets, { namespace: managerNamespace, name }, { signal }));

/** The pair that is there; the certificate of the tunnel is made by then. Throws `NotFound`. */
export async function tunnelPair({ cluster, signal }: Pick<CloudDeps, 'cluster' | 'signal'>): Promise<Pair> {
  const pair = pairIn(await secretNamed(tlsSecret, { cluster, signal }));
  if (pair !== undefined) return pair;
  throw new SelvedgeError(`the Secret ${managerNamespace}/${tlsSecret} contains no certificate`, {
    code: 'NotFound',
  });
}

const isLasting = ({ certificate }: KeyPair, now: number): boolean =>
  new X509Certificate(certificate).validToDate.getTime() - now > servingDays * dayMs;

/** The authority of before while it outlives what it signs: nodes need not be told of another one. */
async function authority(ledger: Ledger, deps: CloudDeps): Promise<KeyPair> {
  const now = deps.clock.now();
  const known = pairIn(await secretNamed(authoritySecret, deps));
  if (known !== undefined && isLasting(known, now)) return known;
  const pair = newTunnelAuthority(now);
  await applyMade(pairSecret(authoritySecret, pair, pair.certificate), ledger, deps);
  return pair;
}

interface Making {
  readonly machines: readonly ControlPlaneMachine[];
  readonly ledger: Ledger;
}

async function newPair(
  change: CertificateChange,
  { machines, ledger }: Making,
  deps: CloudDeps,
): Promise<Pair> {
  const { names, signer } = change;
  if (signer.kind === 'own') {
    const own = await authority(ledger, deps);
    const pair = newTunnelCertificate({ names, now: deps.clock.now() }, own);
    return { ...pair, ca: own.certificate };
  }
  const machine = machines.find((one) => one.machine.name === signer.machine.name);
  const ca = machine?.kind === 'open' ? (machine.ca ?? '') : '';
  const pair = await withMachine(signer.machine, deps, (host) =>
    signThere(host, { names, days: servingDays }, deps.signal),
  );
  return { ...pair, ca };
}

/** Makes the certificate of the tunnel, or the next one. */
export async function makeCertificate(
  change: CertificateChange,
  making: Making,
  deps: CloudDeps,
): Promise<void> {
  const pair = await newPair(change, making, deps);
  await applyMade(pairSecret(change.secret, pair, pair.ca), making.ledger, deps);
}
