import { join } from 'node:path';
import {
  SecurityProfile,
  SecurityProfile_ProfileType as ProfileType,
  message,
} from '@selvedge/containerd-grpc-types';
import { SelvedgeError } from '@selvedge/kit';
import type { SeccompProfile } from '@selvedge/kube/types';

/** Source: https://kubernetes.io/docs/reference/node/seccomp/; without a profile there is no filter. */
export function seccomp(profile: SeccompProfile | undefined, profilesFolder: string): SecurityProfile {
  if (profile?.type === 'RuntimeDefault') {
    return message(SecurityProfile, { profileType: ProfileType.RuntimeDefault });
  }
  if (profile?.type !== 'Localhost') {
    return message(SecurityProfile, { profileType: ProfileType.Unconfined });
  }
  const { localhostProfile = '' } = profile;
  if (localhostProfile === '') {
    const text = 'localhostProfile must be set if seccompProfile type is Localhost.';
    throw new SelvedgeError(text, { code: 'Invalid' });
  }
  const localhostRef = join(profilesFolder, localhostProfile);
  return message(SecurityProfile, { profileType: ProfileType.Localhost, localhostRef });
}
