import { SelvedgeError, hasCode, jittered, messageOf, withDeadline } from '@selvedge/kit';
import { ifFound, resources } from '@selvedge/kube';
import type { ContainerState, Pod } from '@selvedge/kube/types';
import type { ExecTarget } from './exec.ts';
import { jobNameLabel, jobs } from './manifest.ts';
import { type JobDeps, type JobOptions, jobDefaults } from './options.ts';

/** A Job that was made. */
export interface MadeJob {
  readonly namespace: string;
  readonly name: string;
  /** That it was made for. */
  readonly node: string;
}

const lookEveryMs = 250;

/** What keeps a container from starting and does not pass. Source: the kubelet's `pkg/kubelet/images/types.go`. */
const hopeless = new Set(['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName']);

async function podsOf(
  { namespace, name }: MadeJob,
  deps: JobDeps,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const labelSelector = `${jobNameLabel}=${name}`;
  return (await deps.cluster.list(resources.pods, { namespace, labelSelector, signal })).items;
}

function noImage(node: string, image: string, said = ''): SelvedgeError {
  return new SelvedgeError(`${node} has no image ${image}: ${said}`, {
    code: 'Unavailable',
    hint: 'import node-shell of the release there (ctr -n k8s.io images import), or use --job-image with an image that the node can pull',
  });
}

const stateOf = ({ status }: Pod): ContainerState => status?.containerStatuses?.[0]?.state ?? {};

/** Why its container never will run, if it will not. */
function hopelessOf(pod: Pod, image: string): SelvedgeError | undefined {
  const { status: { phase, reason, message } = {} } = pod;
  const node = pod.spec?.nodeName ?? '';
  const { waiting } = stateOf(pod);
  if (hopeless.has(waiting?.reason ?? '')) return noImage(node, image, waiting?.message);
  if (phase !== 'Failed') return undefined;
  const why = [reason, message].filter((one) => one !== undefined).join(': ');
  return new SelvedgeError(`the pod of the Job failed on ${node}: ${why === '' ? 'no reason given' : why}`, {
    code: 'Unavailable',
    hint: `see kubectl describe node ${node}; privileged pods must be able to run there`,
  });
}

/** What is known of a pod whose container does not run yet. */
function seenOf(pod: Pod | undefined): string {
  if (pod === undefined) return 'no pod was created for it';
  const { waiting } = stateOf(pod);
  const said = [waiting?.reason ?? pod.status?.phase, waiting?.message];
  return said.filter((one) => one !== undefined && one !== '').join(': ');
}

function notStarted({ node, namespace }: MadeJob, seen: string, cause: SelvedgeError): SelvedgeError {
  return new SelvedgeError(`the pod of the Job did not start on ${node} in time: ${seen}`, {
    code: 'DeadlineExceeded',
    cause,
    hint: `see kubectl describe node ${node}; the namespace ${namespace} must admit privileged pods, or use --job-namespace`,
  });
}

/** Waits for the container of a Job. Throws `Unavailable` if it will not start, `DeadlineExceeded` if it did not; with the reason. */
export async function jobPod(
  job: MadeJob,
  { options, deps }: { readonly options: JobOptions; readonly deps: JobDeps },
  signal: AbortSignal | undefined,
): Promise<ExecTarget> {
  const { clock, random } = deps;
  const timeoutMs = options.startTimeoutMs ?? jobDefaults.startTimeoutMs;
  let seen = 'the API server did not tell';
  const started = async (within: AbortSignal): Promise<ExecTarget> => {
    for (;;) {
      const [pod] = await podsOf(job, deps, within);
      const why = pod === undefined ? undefined : hopelessOf(pod, options.image);
      if (why !== undefined) throw why;
      if (pod?.metadata.name !== undefined && stateOf(pod).running !== undefined)
        return { namespace: job.namespace, pod: pod.metadata.name };
      seen = seenOf(pod);
      await clock.sleep(jittered(lookEveryMs, random), within);
    }
  };
  try {
    return await withDeadline({ what: `the pod of Job ${job.name}`, timeoutMs, signal }, clock, started);
  } catch (error) {
    signal?.throwIfAborted();
    throw hasCode(error, 'DeadlineExceeded') ? notStarted(job, seen, error) : error;
  }
}

async function deleteJob(
  { namespace, name }: MadeJob,
  { cluster }: JobDeps,
  signal: AbortSignal,
): Promise<void> {
  await ifFound(cluster.delete(jobs, { namespace, name }, { signal, propagationPolicy: 'Background' }));
}

/** What a person can do about a Job that stays: its own deadline ends it in any case. */
const leftJob = ({ namespace, name, node }: MadeJob, why: unknown): string =>
  `Job ${namespace}/${name} on ${node} could not be removed and ends by itself: ${messageOf(why)}. To remove it: ` +
  `kubectl delete job --namespace ${namespace} ${name}`;

const leftPod = ({ namespace, name, node }: MadeJob): string =>
  `Job ${namespace}/${name} is removed, but its pod ends when ${node} is reached again. To see it: ` +
  `kubectl get pods --namespace ${namespace} --selector ${jobNameLabel}=${name}`;

/**
 * Removes a Job and waits, for a while, until its pods are gone: a node that is away keeps its own. Never rejects: what stays is
 * told by `onNote`.
 */
export async function removeJob(job: MadeJob, deps: JobDeps): Promise<void> {
  const { clock, random } = deps;
  const deadline = { what: `the end of Job ${job.name}`, timeoutMs: jobDefaults.endTimeoutMs };
  let isDeleted = false;
  try {
    await withDeadline(deadline, clock, async (signal) => {
      await deleteJob(job, deps, signal);
      isDeleted = true;
      while ((await podsOf(job, deps, signal)).length > 0)
        await clock.sleep(jittered(lookEveryMs, random), signal);
    });
  } catch (error) {
    deps.onNote(isDeleted ? leftPod(job) : leftJob(job, error));
  }
}
