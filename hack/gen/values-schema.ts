const text = { type: 'string' };
const named = { type: 'string', minLength: 1 };
const texts = { type: 'object', additionalProperties: text };
const objects = { type: 'array', items: { type: 'object' } };
/** Checked by the API server. */
const anything = { type: 'object' };
const port = { type: 'integer', minimum: 1, maximum: 65_535 };

const strict = (
  properties: Readonly<Record<string, object>>,
  required = Object.keys(properties),
): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/** What Helm holds values against: a field that is not here is an error, not a setting that does nothing. */
export const valuesSchema = (config: object): object => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...strict(
    {
      image: strict({
        repository: named,
        tag: text,
        digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: objects,
      replicas: { type: 'integer', minimum: 1 },
      podDisruptionBudget: strict({ maxUnavailable: { type: ['integer', 'string'] } }),
      tls: strict({ secretName: named }),
      config,
      tunnelService: strict({
        type: { enum: ['LoadBalancer', 'NodePort', 'ClusterIP'] },
        port,
        externalTrafficPolicy: { enum: ['Local', 'Cluster'] },
        loadBalancerClass: text,
        annotations: texts,
      }),
      nodeSelector: texts,
      tolerations: objects,
      affinity: anything,
      priorityClassName: text,
      resources: anything,
      podAnnotations: texts,
      podLabels: texts,
      extraVolumes: objects,
      extraVolumeMounts: objects,
      crds: strict({ install: { type: 'boolean' } }),
      // Helm's own, for charts that have this one inside.
      global: anything,
    },
    ['image', 'replicas', 'tls', 'config', 'tunnelService', 'crds'],
  ),
});
