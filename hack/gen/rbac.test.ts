import { hubRole, hubRoleBinding, hubRules } from '@selvedge/api';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { renderHubRole } from './rbac.ts';

test('the manifest is the role and its binding, and tells why each rule is there', () => {
  const text = renderHubRole();
  const documents = parseAllDocuments(text).map((each) => ('toJS' in each ? each.toJS() : each));
  expect(documents).toEqual([hubRole, hubRoleBinding]);
  for (const { reason } of hubRules) expect(text).toContain(`  # ${reason}\n`);
});
