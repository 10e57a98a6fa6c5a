import { type Clock, type Logger, SelvedgeError, type Service, createTaskGroup } from '@selvedge/kit';

export interface LinkLocalOptions {
  /** IPv4, below 169.254.0.0/16. */
  readonly address: string;
}

export interface LinkLocalDeps {
  /** The addresses of the machine's interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  /** Runs a program to its end; rejects if it fails. */
  readonly exec: (argv: readonly [string, ...string[]], signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Network managers tidy up interfaces that they do not know. */
const lookEveryMs = 10_000;

/**
 * An address of this machine alone, on `lo`: any network namespace of the machine reaches it by its default route, and no
 * dummy interface is needed. It is kept there while this runs, and goes at the end if it came with it.
 */
export function createLinkLocal({ address }: LinkLocalOptions, deps: LinkLocalDeps): Service {
  const { machineAddresses, exec, clock, log } = deps;
  const name = 'link-local address';
  const tasks = createTaskGroup(
    { name },
    { onFailure: (error) => log.error('the link-local address is not looked after', { address, error }) },
  );
  let added = false;
  const change = async (verb: 'add' | 'del', signal: AbortSignal): Promise<void> => {
    await exec(
      ['ip', 'address', verb, `${address}/32`, 'dev', 'lo', ...(verb === 'add' ? ['scope', 'link'] : [])],
      signal,
    );
  };
  const ensure = async (signal: AbortSignal): Promise<void> => {
    if (machineAddresses().includes(address)) return;
    await change('add', signal);
    added = true;
    log.info('link-local address added', { address });
  };
  const keep = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await clock.sleep(lookEveryMs, signal);
      try {
        await ensure(signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn('the link-local address is gone and cannot be added', { address, error });
      }
    }
  };
  return {
    name,
    async start(signal) {
      try {
        await ensure(signal);
      } catch (cause) {
        throw new SelvedgeError(`cannot add ${address} to lo`, {
          code: 'Unavailable',
          cause,
          hint: 'it takes the right to change the network; modules.hub.address: none does without it',
        });
      }
      tasks.run('keep', keep);
    },
    async stop() {
      await tasks.stop();
      if (!added || !machineAddresses().includes(address)) return;
      added = false;
      await change('del', new AbortController().signal);
    },
  };
}
