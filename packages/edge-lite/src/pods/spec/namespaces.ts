import { NamespaceMode, NamespaceOption, message } from '@selvedge/containerd-grpc-types';
import type { PodSpec } from '@selvedge/kube/types';

function processes({ hostPID = false, shareProcessNamespace = false }: PodSpec): NamespaceMode {
  if (hostPID) return NamespaceMode.NODE;
  return shareProcessNamespace ? NamespaceMode.POD : NamespaceMode.CONTAINER;
}

/** Which Linux namespaces the pod shares, and with whom. */
export function namespaces(spec: PodSpec): NamespaceOption {
  return message(NamespaceOption, {
    network: spec.hostNetwork === true ? NamespaceMode.NODE : NamespaceMode.POD,
    ipc: spec.hostIPC === true ? NamespaceMode.NODE : NamespaceMode.POD,
    pid: processes(spec),
  });
}
