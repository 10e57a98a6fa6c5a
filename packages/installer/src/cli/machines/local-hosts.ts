import { SelvedgeError } from '@selvedge/kit';
import { type Hosts, type Machine, createLocalHost } from '../../host/index.ts';
import type { CliHost } from '../host.ts';

const isThis = ({ machine }: CliHost, { name, addresses }: Machine): boolean =>
  machine.name === name || addresses.some((address) => machine.addresses.includes(address));

/** This machine and no other: what is meant for another one is not done here. */
export function createLocalHosts(host: CliHost): Hosts {
  return {
    async open(wanted) {
      if (!isThis(host, wanted)) {
        throw new SelvedgeError(`this machine is ${host.machine.name}, not ${wanted.name}`, {
          code: 'Invalid',
          hint: 'use --transport ssh for other machines, or run selvedge there',
        });
      }
      if (!host.person.isRoot) {
        throw new SelvedgeError('changing this machine requires root', {
          code: 'Forbidden',
          hint: 'run it with sudo',
        });
      }
      return createLocalHost({ clock: host.clock });
    },
  };
}
