import { BoundedMap } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { ApplyViews, HeldResource, ObjectName, Replica } from '../replica/types.ts';

export interface AlteredDeps {
  readonly replica: Pick<Replica, 'base'>;
  readonly views: ApplyViews;
}

/** Objects that are shown otherwise than upstream has them, for who writes them back. */
export interface Altered {
  /** Told of each object that is shown, as upstream has it. */
  note(resource: HeldResource, object: KubeObject): void;
  /** As upstream has it: what is held, else what was shown here last. Undefined: it was shown as it is, or never. */
  base(resource: HeldResource, at: ObjectName): KubeObject | undefined;
}

/** Objects that are not held. */
const maxAltered = 64;

const keyOf = (resource: HeldResource, { namespace, name }: ObjectName): string =>
  `${resource} ${namespace}/${name}`;

export function createAltered({ replica, views }: AlteredDeps): Altered {
  const bases = new BoundedMap<string, KubeObject>({ capacity: maxAltered });
  return {
    note(resource, object) {
      const { namespace = '', name = '' } = object.metadata;
      const key = keyOf(resource, { namespace, name });
      if (views(resource, object) === object) bases.delete(key);
      else bases.set(key, object);
    },
    base: (resource, at) => replica.base(resource, at) ?? bases.get(keyOf(resource, at)),
  };
}
