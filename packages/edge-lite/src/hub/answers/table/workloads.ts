import type { KubeObject } from '@selvedge/kube';
import type {
  DaemonSet,
  Deployment,
  LabelSelector,
  PodTemplateSpec,
  ReplicaSet,
  StatefulSet,
} from '@selvedge/kube/types';
import { ageOf, containerCells, int, labelText, nameOf, or, printer, selectorText } from './columns.ts';
import { age, duration } from './format.ts';
import type { Printer } from './types.ts';

type Owner = {
  readonly template?: PodTemplateSpec | undefined;
  readonly selector?: LabelSelector | undefined;
};

const details = ['+Containers', '+Images', '+Selector'];

function detailCells({ template, selector }: Owner = {}): readonly string[] {
  return [...containerCells(template?.spec?.containers ?? []), selectorText(selector)];
}

const deployments = printer(
  ['Name', 'Ready', 'Up-to-date', 'Available', 'Age', ...details],
  (object: Deployment, nowMs) => {
    const { readyReplicas = 0, updatedReplicas = 0, availableReplicas = 0 } = object.status ?? {};
    const ready = `${readyReplicas}/${object.spec?.replicas ?? 0}`;
    const cells = [nameOf(object), ready, updatedReplicas, availableReplicas, ageOf(object, nowMs)];
    return [...cells, ...detailCells(object.spec)];
  },
);

const replicaSets = printer(
  ['Name', 'Desired#', 'Current#', 'Ready#', 'Age', ...details],
  (object: ReplicaSet, nowMs) => {
    const { replicas = 0, readyReplicas = 0 } = object.status ?? {};
    const cells = [nameOf(object), object.spec?.replicas ?? 0, replicas, readyReplicas, ageOf(object, nowMs)];
    return [...cells, ...detailCells(object.spec)];
  },
);

const daemonSets = printer(
  ['Name', 'Desired#', 'Current#', 'Ready#', 'Up-to-date#', 'Available#', 'Node Selector', 'Age', ...details],
  (object: DaemonSet, nowMs) => {
    const { status, spec } = object;
    return [
      nameOf(object),
      int(status?.desiredNumberScheduled),
      int(status?.currentNumberScheduled),
      int(status?.numberReady),
      int(status?.updatedNumberScheduled),
      int(status?.numberAvailable),
      labelText(spec?.template?.spec?.nodeSelector),
      ageOf(object, nowMs),
      ...detailCells(spec),
    ];
  },
);

const statefulSets = printer(
  ['Name', 'Ready', 'Age', '+Containers', '+Images'],
  (object: StatefulSet, nowMs) => {
    const ready = `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`;
    return [nameOf(object), ready, ageOf(object, nowMs), ...detailCells(object.spec).slice(0, 2)];
  },
);

/** As far as it is printed. Source: `batch/v1`. */
interface Job extends KubeObject {
  readonly spec?: Owner & { readonly completions?: number; readonly parallelism?: number };
  readonly status?: {
    readonly succeeded?: number;
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

function jobStatus({ status, metadata }: Job): string {
  const holds = (type: string): boolean =>
    status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
  const end = ['Complete', 'Failed'].find(holds);
  if (end !== undefined) return end;
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running';
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  const { startTime, completionTime } = status ?? {};
  if (startTime === undefined) return '';
  const end = completionTime === undefined ? nowMs : Date.parse(completionTime);
  return duration(end - Date.parse(startTime));
}

const jobs = printer(
  ['Name', 'Status', 'Completions', 'Duration', 'Age', ...details],
  (object: Job, nowMs) => [
    nameOf(object),
    jobStatus(object),
    completionsText(object),
    durationText(object, nowMs),
    ageOf(object, nowMs),
    ...detailCells(object.spec),
  ],
);

interface CronJob extends KubeObject {
  readonly spec?: {
    readonly schedule?: string;
    readonly timeZone?: string;
    readonly suspend?: boolean;
    readonly jobTemplate?: { readonly spec?: Owner };
  };
  readonly status?: { readonly active?: readonly unknown[]; readonly lastScheduleTime?: string };
}

const suspendText = (suspend: boolean | undefined): string =>
  suspend === undefined ? '<unset>' : suspend ? 'True' : 'False';

const cronJobs = printer(
  ['Name', 'Schedule', 'Timezone', 'Suspend?', 'Active#', 'Last Schedule', 'Age', ...details],
  (object: CronJob, nowMs) => {
    const { spec = {}, status = {} } = object;
    const last = status.lastScheduleTime;
    return [
      nameOf(object),
      spec.schedule ?? '',
      or(spec.timeZone),
      suspendText(spec.suspend),
      status.active?.length ?? 0,
      last === undefined ? '<none>' : age(last, nowMs),
      ageOf(object, nowMs),
      ...detailCells(spec.jobTemplate?.spec),
    ];
  },
);

export const workloadPrinters: Readonly<Record<string, Printer>> = {
  'apps/v1/deployments': deployments,
  'apps/v1/replicasets': replicaSets,
  'apps/v1/daemonsets': daemonSets,
  'apps/v1/statefulsets': statefulSets,
  'batch/v1/jobs': jobs,
  'batch/v1/cronjobs': cronJobs,
};
