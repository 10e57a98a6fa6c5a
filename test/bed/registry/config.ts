import { stringify } from 'yaml';

export interface RegistryConfig {
  /** The address to listen on, with its port: `10.60.0.1:5000`. */
  readonly listen: string;
  /** Where images are kept. */
  readonly dataFolder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly passwordFile: string;
}

/** The configuration of docker-registry 2: TLS, basic authentication. Source: its `docs/configuration.md`. */
export function renderRegistryConfig(config: RegistryConfig): string {
  return stringify({
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: config.dataFolder }, delete: { enabled: true } },
    http: { addr: config.listen, tls: { certificate: config.certificateFile, key: config.keyFile } },
    auth: { htpasswd: { realm: 'bed', path: config.passwordFile } },
  });
}
