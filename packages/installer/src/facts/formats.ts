import type { ListeningPort, OsFacts } from './types.ts';

/** What `systemctl show` printed, by property. Source: systemctl(1). */
export function systemdProperties(shown: string): (key: string) => string {
  const lines = shown.split('\n');
  return (key) => {
    // Properties that hold lists are printed once for each of them.
    const values = lines.filter((line) => line.startsWith(`${key}=`));
    return values.map((line) => line.slice(key.length + 1)).join(' ');
  };
}

/** Source: os-release(5). */
export function osRelease(text: string): OsFacts {
  const of = (key: string): string => {
    const line = text.split('\n').find((one) => one.startsWith(`${key}=`));
    return line?.slice(key.length + 1).replaceAll(/^["']|["']$/g, '') ?? '';
  };
  return { id: of('ID'), version: of('VERSION_ID'), name: of('PRETTY_NAME') };
}

function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  // Each word of 32 bits as the machine keeps it: the last byte first.
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => `${bytes[at * 2]}${bytes[at * 2 + 1]}`.toLowerCase());
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** A local address as `/proc/net/tcp` and `tcp6` have it. Source: proc_net_tcp in the kernel's documentation. */
export function portOf(local: string): ListeningPort {
  const [address = '', port = ''] = local.split(':');
  return { address: addressOf(address), port: Number.parseInt(port, 16) };
}
