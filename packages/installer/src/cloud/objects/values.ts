import { SelvedgeError } from '@selvedge/kit';
import { type JsonObject, mergePatched } from '@selvedge/kube';
import { chart } from '../gen/sources.ts';

/** The part of cloud-manager's config that objects follow; all of it is checked by cloud-manager itself. */
export interface ManagerConfig {
  readonly tunnel: { readonly listen: readonly string[]; readonly drainSeconds?: number };
  readonly egress?: { readonly tls?: Listening };
  readonly kubeletProxy?: Listening;
  readonly connectProxy?: Listening;
  readonly webhook?: Listening & {
    readonly reach: {
      readonly service?: { readonly namespace: string; readonly name: string; readonly port?: number };
      readonly url?: string;
    };
    readonly certificateFile?: string;
  };
  readonly health: Listening;
}

interface Listening {
  readonly listen: string;
}

type Texts = Readonly<Record<string, string>>;

/** Values of charts/selvedge. Source: charts/selvedge/values.yaml, values.schema.json. */
export interface ChartValues {
  readonly image: {
    readonly repository: string;
    readonly tag?: string;
    readonly digest?: string;
    readonly pullPolicy?: string;
  };
  readonly imagePullSecrets?: readonly object[];
  readonly replicas: number;
  readonly podDisruptionBudget: { readonly maxUnavailable: number | string };
  readonly tls: { readonly secretName: string };
  readonly config: ManagerConfig;
  readonly tunnelService: {
    readonly type: string;
    readonly port: number;
    readonly externalTrafficPolicy: string;
    readonly loadBalancerClass?: string;
    readonly annotations?: Texts;
  };
  readonly nodeSelector?: Texts;
  readonly tolerations?: readonly object[];
  readonly affinity?: object;
  readonly priorityClassName?: string;
  readonly resources?: object;
  readonly podAnnotations?: Texts;
  readonly podLabels?: Texts;
  readonly extraVolumes?: readonly object[];
  readonly extraVolumeMounts?: readonly object[];
  readonly crds: { readonly install: boolean };
}

/**
 * The chart's values with others laid over them, as helm does it: maps are merged, lists replaced, `null` takes away. Throws
 * `Invalid` for a value that the chart does not have.
 */
export function chartValues(...over: readonly JsonObject[]): ChartValues {
  const unknown = over.flatMap((one) => Object.keys(one)).find((key) => !Object.hasOwn(chart.values, key));
  if (unknown !== undefined) {
    throw new SelvedgeError(`${unknown} is not a value of charts/selvedge`, {
      code: 'Invalid',
      hint: `it has ${Object.keys(chart.values).join(', ')}`,
    });
  }
  const merged = over.reduce((values: unknown, one) => mergePatched(values, one), chart.values);
  // What is not as the chart wants it is refused by the API server, which checks every field.
  return merged as ChartValues;
}

const portOf = (listen: string): number => Number(/\d+$/.exec(listen)?.[0]);

/** What listens, by the name of its port, in the order of the names. */
export function portsOf(config: ManagerConfig): readonly (readonly [name: string, port: number])[] {
  const { tunnel, egress, connectProxy, kubeletProxy, webhook, health } = config;
  const listening = {
    connect: connectProxy?.listen,
    egress: egress?.tls?.listen,
    health: health.listen,
    kubelets: kubeletProxy?.listen,
    tunnel: tunnel.listen[0],
    webhook: webhook?.listen,
  };
  return Object.entries(listening).flatMap(([name, listen]) =>
    listen === undefined ? [] : [[name, portOf(listen)] as const],
  );
}
