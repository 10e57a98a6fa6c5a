import { createHash } from 'node:crypto';
import type { Container } from '@selvedge/kube/types';

/**
 * Changes with what needs a new container: name and image, the only fields of a running pod's containers that the API lets
 * anyone change. Eight hexadecimal digits, the same for ever, as it is kept with the container.
 */
export function containerHash({ name, image = '' }: Pick<Container, 'name' | 'image'>): string {
  return createHash('sha256')
    .update(JSON.stringify([name, image]))
    .digest('hex')
    .slice(0, 8);
}
