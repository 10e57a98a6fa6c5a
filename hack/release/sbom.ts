import type { BundledPackage } from './bundled.ts';

export interface SbomOptions {
  readonly program: string;
  readonly version: string;
  /** What the bundle is made of. */
  readonly packages: readonly BundledPackage[];
  /** `process.versions`: Node's and those of what is in it. */
  readonly nodeVersions: Readonly<Record<string, string | undefined>>;
  /** Seconds since 1970. */
  readonly sourceDateEpoch: number;
}

/** Source: CycloneDX 1.6, "Component". */
interface Component {
  readonly type: 'application' | 'library' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly licenses?: readonly { readonly expression: string }[];
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly components?: readonly Component[];
}

/** Source: package-url, "Known purl types". */
function purlOf(type: 'npm' | 'generic', name: string, version: string): string {
  return `pkg:${type}/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
}

function packageComponent({ name, version, license, integrity }: BundledPackage): Component {
  const purl = purlOf('npm', name, version);
  const sha512 = integrity?.startsWith('sha512-') === true ? integrity.slice('sha512-'.length) : undefined;
  const content = sha512 === undefined ? undefined : Buffer.from(sha512, 'base64').toString('hex');
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    licenses: [{ expression: license }],
    ...(content === undefined ? {} : { hashes: [{ alg: 'SHA-512', content }] }),
  };
}

/** Those of `process.versions` that are no libraries: numbers of interfaces, and tables. */
const noLibraries = new Set(['node', 'modules', 'napi', 'cldr', 'tz', 'unicode']);

function nodeComponent(versions: SbomOptions['nodeVersions']): Component {
  const { node = '' } = versions;
  const purl = purlOf('generic', 'node', node);
  const components = Object.entries(versions).flatMap(([name, version]): readonly Component[] => {
    if (version === undefined || noLibraries.has(name)) return [];
    const own = purlOf('generic', name, version);
    return [{ type: 'library', 'bom-ref': `${purl}#${name}`, name, version, purl: own }];
  });
  return { type: 'platform', 'bom-ref': purl, name: 'node', version: node, purl, components };
}

/**
 * The bill of materials of a program, CycloneDX 1.6: only what is really in it. Without a serial number, so that the same
 * content gives the same bytes. Pure.
 */
export function sbomOf({ program, version, packages, nodeVersions, sourceDateEpoch }: SbomOptions): object {
  const components = [nodeComponent(nodeVersions), ...packages.map(packageComponent)];
  const own = purlOf('generic', program, version);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(sourceDateEpoch * 1_000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': own,
        name: program,
        version,
        purl: own,
        licenses: [{ expression: 'Apache-2.0' }],
      },
    },
    components,
    dependencies: [{ ref: own, dependsOn: components.map((component) => component['bom-ref']) }],
  };
}
