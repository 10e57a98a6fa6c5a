import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { unitConfig } from './config.ts';

const options = { tunnelPort: 443, apiServerPort: 6_443, ipv6: false };

test.each(['10.60.0.1', 'fd00::1'])(
  'a cloud-manager at %s can be asked by those of other machines',
  (address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    expect(parse(unitConfig({ ...options, address, over: { autonomy: { on: true } } }))).toMatchObject({
      tunnel: { services: { 'kube-apiserver': { addresses: [`${host}:6443`] } } },
      egress: {
        unixSocket: '/run/selvedge/egress.sock',
        tls: { advertise: `${host}:8132`, servers: ['cloud-manager'] },
      },
      autonomy: { on: true },
    });
  },
);
