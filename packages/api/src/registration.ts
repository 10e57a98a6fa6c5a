import { managerAdmission } from './admission.ts';
import { bootstrappersGroup, controlPlanesGroup } from './bootstrap-groups.ts';
import { autonomyAnnotations } from './labels.ts';

/** How API servers reach the webhook: one of both. */
export interface WebhookReach {
  readonly url?: string | undefined;
  readonly service?: { readonly namespace: string; readonly name: string; readonly port: number } | undefined;
}

const { paths } = managerAdmission;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
}

/** One question of API servers. */
interface Question {
  readonly name: string;
  readonly path: string;
  /** Default `Ignore`: a write passes when nobody answers. */
  readonly failurePolicy?: 'Fail';
  /** Default 2: as long as a write can wait. */
  readonly timeoutSeconds?: number;
  readonly rules: readonly Rule[];
  /** By name, in CEL. */
  readonly conditions: Readonly<Record<string, string>>;
}

const fromNode = "request.userInfo.username.startsWith('system:node:')";
const certificateRequests: Rule = {
  apiGroups: ['certificates.k8s.io'],
  operations: ['CREATE'],
  resources: ['certificatesigningrequests'],
};

/** Heartbeats are among them: an outage of cloud-manager would else be one of all nodes. */
const bannedWrites: Question = {
  name: 'writes.ban.selvedge.io',
  path: paths.ban,
  rules: [{ apiGroups: ['*'], operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'], resources: ['*/*'] }],
  conditions: {
    'of-a-node': fromNode,
    // Reviews of tokens and of access store nothing.
    'stores-something': "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'])",
  },
};

/** Of anybody: a bootstrap token asks in the name of a node. */
const bannedCertificates: Question = {
  name: 'certificates.ban.selvedge.io',
  path: paths.ban,
  rules: [certificateRequests],
  conditions: { 'not-of-a-node': `!${fromNode}` },
};

/** Deletions that take away what may be running still. Many pods are deleted by force by those whose work it is. */
const guardedDeletions: Question = {
  name: 'deletions.guard.selvedge.io',
  path: paths.guard,
  rules: [{ apiGroups: [''], operations: ['DELETE'], resources: ['nodes', 'pods'] }],
  conditions: {
    'by-force':
      "request.resource.resource == 'nodes' || (has(request.options) && has(request.options.gracePeriodSeconds) && request.options.gracePeriodSeconds == 0)",
    'not-exempt': `!(request.userInfo.username in ${JSON.stringify(managerAdmission.exemptFromGuard)})`,
  },
};

/** A machine that joins can wait, an identity that was given away cannot be taken back: nobody answers, nobody joins. */
const joiningNodes: Question = {
  name: 'joining.identity.selvedge.io',
  path: paths.identity,
  failurePolicy: 'Fail',
  timeoutSeconds: 10,
  rules: [certificateRequests],
  conditions: {
    'of-a-bootstrap-token': `has(request.userInfo.groups) && '${bootstrappersGroup}' in request.userInfo.groups`,
    'not-of-a-control-plane': `!has(request.userInfo.groups) || !('${controlPlanesGroup}' in request.userInfo.groups)`,
  },
};

const writes = ['CREATE', 'UPDATE'];

/** A courtesy: what the schemas forbid they forbid without us, and what cannot be used is told in the status as well. */
const ownObjects: Question = {
  name: 'objects.validation.selvedge.io',
  path: paths.validation,
  rules: [
    { apiGroups: ['selvedge.io'], operations: writes, resources: ['edgenodes', 'edgeunits', 'unitapps'] },
  ],
  conditions: {},
};

/** The same, for the few objects of others that have annotations of ours. */
const annotations: Question = {
  name: 'annotations.validation.selvedge.io',
  path: paths.validation,
  rules: [
    { apiGroups: [''], operations: writes, resources: ['namespaces', 'persistentvolumeclaims', 'services'] },
    { apiGroups: ['apps'], operations: writes, resources: ['statefulsets'] },
  ],
  conditions: {
    'has-one-of-ours': `has(object.metadata.annotations) && object.metadata.annotations.exists(key, key.startsWith('selvedge.io/traffic-') || key == '${autonomyAnnotations.failover}')`,
  },
};

const questions: readonly Question[] = [
  bannedWrites,
  bannedCertificates,
  guardedDeletions,
  joiningNodes,
  ownObjects,
  annotations,
];

function clientConfig({ url, service }: WebhookReach, ca: string | undefined, path: string): object {
  const trust = ca === undefined ? {} : { caBundle: Buffer.from(ca).toString('base64') };
  if (service !== undefined) return { service: { ...service, path }, ...trust };
  return { url: `${url?.replace(/\/$/, '')}${path}`, ...trust };
}

/**
 * The registration of the webhooks: which writes API servers ask about, and what becomes of these when nobody answers in time. `ca`: PEM of who signed the webhook's certificate; undefined: cloud-manager makes it, and fills that in. Pure.
 */
export function webhookConfiguration(reach: WebhookReach, ca: string | undefined): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: managerAdmission.configuration },
    webhooks: questions.map(({ name, path, failurePolicy = 'Ignore', timeoutSeconds = 2, ...question }) => ({
      name,
      clientConfig: clientConfig(reach, ca, path),
      failurePolicy,
      matchPolicy: 'Equivalent',
      sideEffects: 'None',
      timeoutSeconds,
      admissionReviewVersions: ['v1'],
      rules: question.rules.map((rule) => ({ apiVersions: ['*'], scope: '*', ...rule })),
      matchConditions: Object.entries(question.conditions).map(([what, expression]) => ({
        name: what,
        expression,
      })),
    })),
  };
}
