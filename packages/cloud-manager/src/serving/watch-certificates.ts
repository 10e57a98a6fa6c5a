import { X509Certificate } from 'node:crypto';
import type { MetricsRegistry } from '@selvedge/kit';
import type { ShownCertificate } from './pem-files.ts';

/** Shows when the certificates that are in use end: a rotation that fails is seen before it hurts. */
export function watchCertificates(shown: readonly ShownCertificate[], metrics: MetricsRegistry): void {
  metrics.sampledSeries(
    {
      name: 'selvedge_manager_certificate_expiry_seconds',
      help: 'When the serving certificate that is in use ends, in seconds since the Unix epoch.',
    },
    () =>
      Array.from(new Map(shown.map((one) => [one.source, one]))).flatMap(([file, { serving }]) => {
        if (serving === undefined) return [];
        const endMs = new X509Certificate(serving.certificate).validToDate.getTime();
        return [{ labels: { file }, value: endMs / 1_000 }];
      }),
  );
}
