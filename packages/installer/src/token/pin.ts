import { certificatesOf } from '@selvedge/kit/x509';
import { pinOf } from '@selvedge/kube';

/**
 * The pin of the authority that a cluster says it has. Where it says several, the one that is trusted here already; they
 * are several while an authority is replaced.
 */
export function pinOfAuthority(shown: string, trusted: string | undefined): string | undefined {
  const pins = certificatesOf(shown).map(pinOf);
  const known = new Set(certificatesOf(trusted ?? '').map(pinOf));
  return pins.find((pin) => known.has(pin)) ?? pins[0];
}
