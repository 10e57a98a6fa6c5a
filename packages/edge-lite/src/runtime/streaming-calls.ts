import { SelvedgeError } from '@selvedge/kit';
import type { Cri } from './cri.ts';

/** The streams of a command, or of a container's main process. */
export interface StreamSelection {
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Never together with `tty`. */
  readonly stderr: boolean;
  readonly tty: boolean;
}

/**
 * The calls that prepare a stream: the URL, good for one connection within a minute, is of the runtime's own streaming
 * server. Source: CRI `Exec`, `Attach`, `PortForward`.
 */
export interface StreamingCalls {
  prepareExec(
    request: StreamSelection & { readonly id: string; readonly command: readonly string[] },
    signal: AbortSignal,
  ): Promise<URL>;
  prepareAttach(request: StreamSelection & { readonly id: string }, signal: AbortSignal): Promise<URL>;
  /** `ports` are told beforehand by WebSocket clients only. */
  preparePortForward(
    request: { readonly sandboxId: string; readonly ports: readonly number[] },
    signal: AbortSignal,
  ): Promise<URL>;
}

function urlOf(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new SelvedgeError('the runtime named no address of its streaming server', { code: 'Internal' });
}

export function createStreamingCalls(
  { runtime }: Cri,
  { callMs }: { readonly callMs: number },
): StreamingCalls {
  return {
    async prepareExec({ id, command, ...streams }, signal) {
      const request = { containerId: id, cmd: [...command], ...streams };
      return urlOf((await runtime.exec(request, { signal, deadlineMs: callMs })).url);
    },
    async prepareAttach({ id, ...streams }, signal) {
      const request = { containerId: id, ...streams };
      return urlOf((await runtime.attach(request, { signal, deadlineMs: callMs })).url);
    },
    async preparePortForward({ sandboxId, ports }, signal) {
      const request = { podSandboxId: sandboxId, port: [...ports] };
      return urlOf((await runtime.portForward(request, { signal, deadlineMs: callMs })).url);
    },
  };
}
