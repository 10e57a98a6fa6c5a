import { type Host, programFailed } from '../host/index.ts';
import { namedFiles } from './named-files.ts';
import { surveyScript } from './script.ts';
import { parseFiles, parseSurvey } from './survey.ts';
import type { NodeFacts } from './types.ts';

const maxOutputBytes = 8 * 2 ** 20;
/** A file names others, which name others: a unit its kubeconfig, that one its certificate. */
const maxRounds = 2;

async function survey(host: Host, paths: readonly string[], signal: AbortSignal): Promise<string> {
  const argv = ['sh', '-c', surveyScript, 'sh', ...paths] as const;
  const result = await host.run({ argv, maxOutputBytes }, signal);
  if (result.exitCode === 0) return result.stdout.toString();
  throw programFailed({ what: 'cannot inspect the system' }, host, result);
}

/** Looks at a machine, in one to three round trips. Changes nothing. Rejects as `Host.run` does. */
export async function gatherFacts(host: Host, signal: AbortSignal): Promise<NodeFacts> {
  let facts = parseSurvey(await survey(host, [], signal));
  const asked = new Set<string>();
  for (let round = 0; round < maxRounds; round += 1) {
    const further = namedFiles(facts).filter((path) => !(path in facts.files) && !asked.has(path));
    if (further.length === 0) break;
    for (const path of further) asked.add(path);
    const { files, certificates } = parseFiles(await survey(host, further, signal));
    facts = {
      ...facts,
      files: { ...facts.files, ...files },
      certificates: { ...facts.certificates, ...certificates },
    };
  }
  return facts;
}
