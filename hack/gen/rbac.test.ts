import {
  clientRole,
  clientRules,
  hubRole,
  hubRoleBinding,
  hubRules,
  managerNamespaceRules,
  managerNodeLeaseRules,
  managerSystemRules,
  managerObjects,
  managerRules,
  unitAppRules,
} from '@selvedge/api';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { renderClientRole, renderHubRole, renderManagerRoles } from './rbac.ts';

test.each([
  ['a hub', renderHubRole(), [hubRole, hubRoleBinding], hubRules],
  ['a client', renderClientRole(), [clientRole], clientRules],
  [
    'a cloud-manager',
    renderManagerRoles(),
    managerObjects,
    [
      ...managerRules,
      ...unitAppRules,
      ...managerNamespaceRules,
      ...managerNodeLeaseRules,
      ...managerSystemRules,
    ],
  ],
])('the manifest of %s is its objects, and tells why each rule is there', (_of, text, objects, grants) => {
  const documents = parseAllDocuments(text).map((each) => ('toJS' in each ? each.toJS() : each));
  expect(documents).toEqual(objects);
  for (const { reason } of grants) expect(text).toContain(`  # ${reason}\n`);
});
