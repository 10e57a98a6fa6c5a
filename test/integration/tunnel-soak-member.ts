import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TunnelCredentials } from '@selvedge/tunnel';
import { tuning } from '../../packages/cloud-manager/src/tuning.ts';
import type { Authority, CertificateRequest } from '../bed/pki/certificate.ts';
import type { SoakLevel, SoakSetup } from './tunnel-soak-main.ts';

const main = join(import.meta.dirname, 'tunnel-soak-main.ts');

/** A process that may be killed and comes back. Its memory is kept small as the program's is. */
export class Member implements AsyncDisposable {
  readonly #setup: SoakSetup;
  #child: ChildProcess | undefined;

  constructor(setup: SoakSetup) {
    this.#setup = setup;
  }

  async start(): Promise<this> {
    const child = fork(main, {
      execArgv: ['--expose-gc', ...tuning.flags],
      env: { ...process.env, ...tuning.environment },
      serialization: 'advanced',
    });
    this.#child = child;
    child.send(this.#setup);
    await once(child, 'message');
    return this;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async level(): Promise<SoakLevel> {
    const child = this.#child;
    if (child === undefined) throw new Error('it does not run');
    const told = once(child, 'message') as Promise<[SoakLevel]>;
    child.send('level');
    return (await told)[0];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop('SIGKILL');
  }
}

export async function issue(authority: Authority, request: CertificateRequest): Promise<TunnelCredentials> {
  const { certificate, key: privateKey } = await authority.issue(request);
  return { certificate, privateKey, certificateAuthority: authority.keyPair.certificate };
}
