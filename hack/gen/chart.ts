import { basename } from 'node:path';
import { managerNamespace, managerObjects } from '@selvedge/api';
import { configJsonSchema } from '../../packages/cloud-manager/src/config/json-schema.ts';
import { type CustomResourceFile, customResourceFiles, renderCustomResource } from './crds.ts';
import type { GeneratedFile, Generator } from './generator.ts';
import { renderClientRole, renderHubRole, renderRoles } from './rbac.ts';
import { valuesSchema } from './values-schema.ts';

const folder = 'charts/selvedge/templates/generated';

/** What looks like an action of a template and is none. */
const escape = (text: string): string => text.replaceAll(/{{|}}/g, (braces) => `{{ "${braces}" }}`);

/** Helm applies it, with everything else. */
const withoutHint = (text: string): string => text.replace(/^# Install it before.*\n/m, '');

/** Stays when the release goes. Source: Helm, "Tell Helm Not To Uninstall a Resource". */
function kept<Resource extends { readonly metadata: object }>(object: Resource): Resource {
  const annotations = { 'helm.sh/resource-policy': 'keep' };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** A resource and what guards it, upgraded with the release: what Helm finds in `crds/` it never changes again. */
function definition(file: CustomResourceFile): GeneratedFile {
  const [first, ...others] = file.objects;
  const guards = others as readonly { readonly metadata: object }[];
  const { path, content } = renderCustomResource({ ...file, objects: [kept(first), ...guards.map(kept)] });
  const text = `{{- if .Values.crds.install }}\n${escape(withoutHint(content))}{{- end }}\n`;
  return { path: `${folder}/${basename(path)}`, content: text };
}

/** Without the Namespace, which is the release's. */
function managerRoles(): string {
  const objects = managerObjects.filter((object) => !('kind' in object && object.kind === 'Namespace'));
  return withoutHint(renderRoles(objects)).replaceAll(managerNamespace, '{{ .Release.Namespace }}');
}

/** The parts of the chart that are written down in code: resources, rights, and what its values may be. */
export const chart: Generator = {
  name: 'chart',
  folder,
  generate: async () => [
    ...customResourceFiles.map(definition),
    { path: `${folder}/rbac-cloud-manager.yaml`, content: managerRoles() },
    { path: `${folder}/rbac-edge-client.yaml`, content: withoutHint(renderClientRole()) },
    { path: `${folder}/rbac-hub.yaml`, content: withoutHint(renderHubRole()) },
    {
      path: 'charts/selvedge/values.schema.json',
      content: `${JSON.stringify(valuesSchema(configJsonSchema()), null, 2)}\n`,
    },
  ],
};
