import type { CheckFacts, Reach } from '../facts.ts';
import { type Rules, type Told, eachMachine } from '../rule.ts';

type ToldThere = Omit<Told, 'where'>;

/** Whoever is asked at `--tunnel-server` runs, as far as is known: convert went through, or somebody else made it. */
const isInstalled = ({ cluster: { cloud } }: CheckFacts): boolean =>
  cloud.kind === 'installed' ? cloud.complete : cloud.kind !== 'none';

const allow = (target: string): string =>
  `allow TCP to ${target} from that machine: docs/tasks/tunnel.md, "Firewall"`;

const notReached = ({ target, what }: Reach): ToldThere => ({
  severity: 'error',
  what: `it cannot connect to the ${what} ${target}`,
  why:
    what === 'API server'
      ? 'its hub replicates the cluster state from there'
      : 'the cloud reaches the node through the tunnel',
  fix: allow(target),
});

/** Before there is a cloud side nobody has to listen for it; its host may not be there either. */
const notYetReached = ({ target, kind }: Reach): ToldThere =>
  kind === 'refused'
    ? {
        severity: 'info',
        what: `nothing listens at the tunnel server ${target} yet`,
        why: 'convert starts it; the way there is open, unless it was a firewall that refused',
        fix: '',
      }
    : {
        severity: 'warning',
        what: `it cannot connect to the tunnel server ${target}, which is not installed yet`,
        why: 'not even a refusal came back: there is no route, a firewall drops it, or the name or the load balancer is yet to be made',
        fix: `unless convert or you will make it: ${allow(target)}`,
      };

export const reachRules: Rules = {
  'not-reached': eachMachine(({ reached }, _node, facts) =>
    reached
      .filter(({ kind }) => kind === 'refused' || kind === 'not reached')
      .map((one) =>
        one.what === 'tunnel server' && !isInstalled(facts) ? notYetReached(one) : notReached(one),
      ),
  ),
};
