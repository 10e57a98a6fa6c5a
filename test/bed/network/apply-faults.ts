import { join } from 'node:path';
import { run, runUnchecked } from '@selvedge/hack/setup';
import { cloudAddresses } from '../addresses.ts';
import type { BedContext } from '../context.ts';
import type { BedDescription, SiteDescription } from '../description.ts';
import { writeAtomically } from '../state/files.ts';
import { waitFor } from '../wait.ts';
import { inNamespace, runNft } from './apply.ts';
import { type Faults, faultRules, needsProxy, proxiedPorts, proxyPort, rateCommands } from './faults.ts';
import type { ProxyOptions } from './proxy/options.ts';

function proxyOptions(faults: Faults, cloud: string): ProxyOptions {
  const { latencyMs = 0, jitterMs = 0, resetEveryMs = 0 } = faults.shape ?? {};
  return {
    target: cloud,
    ports: proxiedPorts.map((target) => ({ listen: proxyPort(target), target })),
    faults: { latencyMs, jitterMs, resetEveryMs },
  };
}

/** The proxy stays once it was needed: connections that run through it outlive a heal. */
async function ensureProxy(context: BedContext, site: SiteDescription, cloud: string): Promise<void> {
  const { daemons, names, clock } = context;
  const name = `proxy.${site.name}`;
  if (!needsProxy(site.faults) && (await daemons.running(name)) === undefined) return;
  const file = join(context.folders.faults, `${site.name}.json`);
  await writeAtomically(file, JSON.stringify(proxyOptions(site.faults, cloud)));
  const started = await daemons.ensure({
    name,
    argv: [process.execPath, join(import.meta.dirname, 'proxy/main.ts'), file],
    namespace: names.site(site.name),
    mark: names.mark(`site.${site.name}`),
  });
  if (!started) await daemons.signal(name, 'SIGHUP');
  const port = proxyPort(proxiedPorts.at(-1) ?? 0);
  await waitFor(
    { what: `the proxy of site ${site.name}`, hint: `see ${daemons.logFile(name)}` },
    clock,
    async () => {
      const argv = ['ss', '--no-header', '--listening', '--tcp', '--numeric', `sport = :${port}`];
      return (await run({ argv: inNamespace(names.site(site.name), argv) })).stdout.trim() !== '';
    },
  );
}

/** Makes the faults of a site's WAN those of its description. Idempotent. */
export async function applyFaults(
  context: BedContext,
  bed: BedDescription,
  site: SiteDescription,
  signal?: AbortSignal,
): Promise<void> {
  const { cloud } = cloudAddresses(bed.index);
  const namespace = context.names.site(site.name);
  await ensureProxy(context, site, cloud);
  await runNft(namespace, faultRules(site.faults, cloud), signal);
  for (const command of rateCommands(site.faults)) {
    const argv = inNamespace(namespace, ['tc', ...command]);
    // Deleting what is not there is an error of tc's.
    if (command[1] === 'del') await runUnchecked({ argv, signal });
    else await run({ argv, signal });
  }
}
