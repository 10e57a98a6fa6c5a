import { describe, expect, test } from 'vitest';
import { contentOf, hashOfContent } from '../../rollout/index.ts';
import { appOf, specOf } from '../testing.ts';
import { contentWith, objectsOf, storedRevisionOf } from './stored-revision.ts';

const secrets = [{ name: 'key', stringData: { key: 'hidden' } }];
const spec = specOf('till:1', { secrets, configMaps: [{ name: 'conf', data: { a: 'b' } }] });
const content = contentOf(spec);
const hash = hashOfContent(content);
const { revision, secret } = objectsOf(appOf(spec), { number: 4, hash }, content);

describe('a revision', () => {
  test('is kept as a ControllerRevision of the UnitApp, named by its hash', () => {
    expect(revision).toMatchObject({
      metadata: {
        name: `till-${hash}`,
        namespace: 'shops',
        ownerReferences: [{ kind: 'UnitApp', uid: 'app', controller: true }],
      },
      revision: 4,
    });
  });

  test('has its Secrets in a Secret, and nowhere else', () => {
    expect(JSON.stringify(revision)).not.toContain('hidden');
    expect(secret).toMatchObject({ metadata: { name: `till-${hash}` }, immutable: true });
    expect(objectsOf(appOf(), { number: 1, hash: 'x' }, contentOf(specOf())).secret).toBeUndefined();
  });

  test('comes back as it was', () => {
    const stored = storedRevisionOf(revision);
    expect(stored).toMatchObject({ number: 4, hash, hasSecrets: true });
    if (stored === undefined || secret === undefined) throw new Error('nothing was kept');
    expect(contentWith(stored, secret)).toEqual(content);
  });

  test('is none when somebody has written the Secret anew', () => {
    const stored = storedRevisionOf(revision);
    if (stored === undefined) throw new Error('nothing was kept');
    const data = { 'secrets.json': Buffer.from('[{"name":"key"}]').toString('base64') };
    for (const other of [{ data }, {}]) {
      expect(contentWith(stored, { metadata: {}, ...other })).toBeUndefined();
    }
  });

  test('of another form is none of ours', () => {
    expect(storedRevisionOf({ ...revision, data: { spec: {} } })).toBeUndefined();
    expect(storedRevisionOf({ metadata: { name: 'x' }, revision: 1 })).toBeUndefined();
  });
});
