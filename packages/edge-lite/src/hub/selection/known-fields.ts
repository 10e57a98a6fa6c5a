import { firstText, textAt, type FieldReader } from './fields.ts';

/** The fields that one resource can be selected by. */
export interface FieldTable {
  readonly fields: Readonly<Record<string, FieldReader>>;
  /** Old names of fields. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** What the API server says of any other field. */
  readonly refusal: (field: string) => string;
}

const name = { 'metadata.name': textAt('metadata.name') };
export const metadataFields = { ...name, 'metadata.namespace': textAt('metadata.namespace') };

export const plainRefusal = (field: string): string => `field label not supported: ${field}`;

const plain = (...fields: readonly string[]): Readonly<Record<string, FieldReader>> =>
  Object.fromEntries(fields.map((field) => [field, textAt(field)]));

const table = (fields: FieldTable['fields']): FieldTable => ({ fields, refusal: plainRefusal });

const references = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

const bundles = table({ ...name, ...plain('spec.signerName') });
const podCertificates = table({ ...name, ...plain('spec.signerName', 'spec.podName', 'spec.nodeName') });
const slices = (version: string): FieldTable => ({
  fields: { ...name, ...plain('spec.nodeName', 'spec.driver') },
  refusal: (field) =>
    `field label not supported for resource.k8s.io/${version}, Kind=ResourceSlice: ${field}`,
});
const newEvents = table({
  ...metadataFields,
  ...plain(...references.map((field) => `regarding.${field}`), 'reason', 'reportingController', 'type'),
});

/**
 * Resources of the API server that have more, fewer or otherwise refused fields than `metadata.name` and
 * `metadata.namespace`. Source: kubernetes.io "Field Selectors"; the field label conversions of Kubernetes 1.36.
 */
export const knownFields: Readonly<Record<string, FieldTable>> = {
  'v1/pods': {
    fields: {
      ...metadataFields,
      ...plain('spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName'),
      'spec.hostNetwork': textAt('spec.hostNetwork', 'false'),
      'status.phase': textAt('status.phase'),
      'status.podIP': textAt('status.podIPs.0.ip'),
      'status.podIPs': () => '',
      'status.nominatedNodeName': textAt('status.nominatedNodeName'),
    },
    aliases: { 'spec.host': 'spec.nodeName' },
    refusal: plainRefusal,
  },
  'v1/nodes': table({ ...name, 'spec.unschedulable': textAt('spec.unschedulable', 'false') }),
  'v1/namespaces': table({ ...name, ...plain('status.phase') }),
  'v1/secrets': table({ ...metadataFields, ...plain('type') }),
  'v1/services': table({ ...metadataFields, ...plain('spec.clusterIP', 'spec.type') }),
  'v1/replicationcontrollers': table({
    ...metadataFields,
    'status.replicas': textAt('status.replicas', '0'),
  }),
  'v1/events': table({
    ...metadataFields,
    ...plain(...references.map((field) => `involvedObject.${field}`), 'reason', 'reportingComponent', 'type'),
    source: firstText(textAt('source.component'), textAt('reportingComponent')),
  }),
  'events.k8s.io/v1/events': newEvents,
  'events.k8s.io/v1beta1/events': newEvents,
  'batch/v1/jobs': {
    fields: { ...metadataFields, 'status.successful': textAt('status.succeeded', '0') },
    refusal: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  },
  'certificates.k8s.io/v1/certificatesigningrequests': bundles,
  'certificates.k8s.io/v1beta1/clustertrustbundles': bundles,
  'certificates.k8s.io/v1alpha1/clustertrustbundles': bundles,
  'certificates.k8s.io/v1beta1/podcertificaterequests': podCertificates,
  'certificates.k8s.io/v1alpha1/podcertificaterequests': podCertificates,
  'resource.k8s.io/v1/resourceslices': slices('v1'),
  'resource.k8s.io/v1beta2/resourceslices': slices('v1beta2'),
  'resource.k8s.io/v1beta1/resourceslices': slices('v1beta1'),
};

/** The fields of every other resource of the API server's own. */
export const commonFields: FieldTable = {
  fields: metadataFields,
  refusal: (field) =>
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
};
