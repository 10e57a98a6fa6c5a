import { type Scope, type Service, createTaskGroup, isAbort, scoped } from '@selvedge/kit';
import type { Caller } from '../request.ts';
import { Membership, type MembershipDeps } from '../source/index.ts';
import { type Unit, unitResource } from './unit.ts';

export type UnitFollowerDeps = MembershipDeps & { readonly unit: Pick<Unit, 'name' | 'onChange'> };

/** Keeps the EdgeUnit of this node, and no other, in the replica. */
export function createUnitFollower({ caller }: { readonly caller: Caller }, deps: UnitFollowerDeps): Service {
  const { unit, log } = deps;
  const name = 'unit';
  const tasks = createTaskGroup(
    { name },
    { onFailure: (error) => log.error('the unit is not followed any more', { error }) },
  );
  let followed: { readonly unit: string; readonly scope: Scope } | undefined;
  const run = async (spec: ConstructorParameters<typeof Membership>[0], scope: Scope): Promise<void> => {
    try {
      await new Membership(spec, deps).run(scope.signal);
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  };
  const follow = (): void => {
    if (unit.name === followed?.unit) return;
    followed?.scope.abort();
    followed = undefined;
    if (unit.name === undefined) return;
    const scope = scoped(tasks.signal);
    followed = { unit: unit.name, scope };
    const spec = {
      resource: unitResource,
      namespace: '',
      labelSelector: '',
      fieldSelector: `metadata.name=${unit.name}`,
    };
    tasks.run(unit.name, () => run({ spec, caller }, scope));
  };
  let subscription: Disposable | undefined;
  return {
    name,
    async start() {
      subscription = unit.onChange(follow);
      follow();
    },
    async stop() {
      subscription?.[Symbol.dispose]();
      await tasks.stop();
    },
  };
}
