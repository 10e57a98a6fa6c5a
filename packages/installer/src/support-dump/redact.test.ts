import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { redactJson, redactText } from './redact.ts';

const secret = 's3cr3t-Value.0';

describe('a text in the archive', () => {
  it.each([
    `token: ${secret}`,
    `  client-key-data: ${secret}`,
    `password=${secret}`,
    `--bootstrap-token=${secret}`,
    `{"clientSecret":"${secret}","x":1}`,
    `Authorization: Bearer ${secret}`,
    `Proxy-Authorization: Basic ${secret}`,
    `GET /login?api_key=${secret}&x=1`,
    `https://user:${secret}@host/`,
    `apiKey = "${secret}"`,
  ])('has no secret of %s', (text) => {
    expect(redactText(`before\n${text}\nafter`)).not.toContain(secret);
    expect(redactText(`before\n${text}\nafter`)).toMatch(/^before\n[^]*\nafter$/);
  });

  it.each([
    'tokenFile: /etc/selvedge/token',
    'credentialsFile: "/etc/selvedge/proxy"',
    'level=info msg=synced node=shop-1',
    'selvedge_hub_token_reviews_total{outcome="ok"} 5',
  ])('still says %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('has no keys, no tokens and no kubeconfigs', () => {
    const key = `-----BEGIN EC PRIVATE KEY-----\n${secret}\n-----END EC PRIVATE KEY-----`;
    const encoded = Buffer.from(key).toString('base64');
    const bootstrap = 'abcdef.0123456789abcdef';
    const text = redactText(`${key}\nx ${encoded} y\njoin ${bootstrap}\n`);
    for (const one of [secret, encoded, bootstrap]) expect(text).not.toContain(one);
  });

  it('is not searched for ever', () => {
    const long = `${'token'.repeat(40_000)} ${'a'.repeat(200_000)}`;
    expect(redactText(long)).toBe(long);
  });
});

describe('an object in the archive', () => {
  it('has no values of Secrets, environments and fields that are called so', () => {
    const object = {
      metadata: {
        name: 'shop',
        managedFields: [{ x: secret }],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': secret },
      },
      data: { any: secret },
      spec: {
        containers: [
          {
            name: 'c',
            env: [
              { name: 'X', value: secret },
              { name: 'Y', valueFrom: { a: 1 } },
            ],
          },
        ],
        joinToken: secret,
        args: ['--token', secret, '--password', '/etc/password', '--name', 'kept'],
        list: [{ password: secret }],
      },
    };
    const redacted = redactJson(object);
    expect(JSON.stringify(redacted)).not.toContain(secret);
    expect(redacted).toMatchObject({
      metadata: { name: 'shop' },
      spec: { containers: [{ name: 'c', env: [{ name: 'X' }, { name: 'Y', valueFrom: { a: 1 } }] }] },
    });
    expect(JSON.stringify(redacted)).toContain('"--password","/etc/password","--name","kept"');
  });

  it('keeps its shape', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = redactJson(value);
        expect(redactJson(once)).toEqual(once);
      }),
    );
  });
});
