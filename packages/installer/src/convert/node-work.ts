import { SelvedgeError } from '@selvedge/kit';
import { type Architecture, type Artifacts, architectures } from '../artifacts/index.ts';
import { planConversion } from '../node-plan/index.ts';
import { gatherFacts } from '../facts/index.ts';
import { recognize } from '../layouts/index.ts';
import { edgeLiteUnit } from '../systemd-units/index.ts';
import type { NodeWork } from './engine.ts';

/** What steps call the program for an architecture. */
const sourceOf = (arch: Architecture): string => `edge-lite-${arch}`;

/** How machines are made edge nodes. */
export function createNodeWork(
  { hubPort }: { readonly hubPort?: number | undefined },
  { artifacts }: { readonly artifacts: Pick<Artifacts, 'edgeLite'> },
): NodeWork {
  return {
    gather: gatherFacts,
    recognize,
    async steps({ machine: { arch, facts, layout } }, tunnel) {
      const { sha256 } = await artifacts.edgeLite(arch);
      return planConversion(facts, layout, {
        executable: { source: sourceOf(arch), sha256 },
        unit: edgeLiteUnit({ role: 'hub' }),
        tunnel,
        hubPort,
      });
    },
    async source(name) {
      const arch = architectures.find((one) => sourceOf(one) === name);
      if (arch !== undefined) return (await artifacts.edgeLite(arch)).bytes;
      throw new SelvedgeError(`there is no source ${name}`, { code: 'NotFound' });
    },
  };
}
