/**
 * What is known of a machine, from one look at it. Plain JSON. Secrets are not in it: where a text held one, as many `x`
 * stand there, so that positions in it are those in the file.
 */
export interface NodeFacts {
  readonly hostname: string;
  /** The machine's own clock when it was looked at, milliseconds since 1970. */
  readonly timeMs: number;
  readonly os: OsFacts;
  /** As `uname -m` says it: `x86_64`, `aarch64`. */
  readonly arch: string;
  /** As `uname -r` says it. */
  readonly kernel: string;
  /** The name of the program with process id 1. */
  readonly init: string;
  readonly cgroupVersion: 1 | 2;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  /** Of the file systems that hold these folders, or would. */
  readonly disks: readonly DiskFacts[];
  readonly features: KernelFeatures;
  /** Local TCP ports on which somebody listens. */
  readonly ports: readonly ListeningPort[];
  /** Of all interfaces, without the length of the prefix. */
  readonly addresses: readonly string[];
  /** Units that are there, by name: `kubelet.service`. */
  readonly units: Readonly<Record<string, UnitFacts>>;
  readonly processes: readonly ProcessFacts[];
  /** Files that matter and are there, by path. */
  readonly files: Readonly<Record<string, FileFacts>>;
  /** The first certificate in each of those files that has one. */
  readonly certificates: Readonly<Record<string, CertificateFacts>>;
  /** Folders that matter and are there. */
  readonly folders: readonly string[];
  /** Sockets of container runtimes that are there. */
  readonly sockets: readonly string[];
  readonly cni: CniFacts;
  /** Programs that matter and are found in PATH, by name, with their path. */
  readonly programs: Readonly<Record<string, string>>;
  readonly selvedge: SelvedgeFacts;
}

/** Source: os-release(5). */
export interface OsFacts {
  /** `debian`. */
  readonly id: string;
  /** `12`. */
  readonly version: string;
  /** For people. */
  readonly name: string;
}

export interface DiskFacts {
  readonly path: string;
  readonly availableBytes: number;
}

export interface KernelFeatures {
  readonly overlay: boolean;
  readonly brNetfilter: boolean;
  readonly nfTables: boolean;
  /** True if IPv4 is forwarded now. */
  readonly ipForward: boolean;
}

export interface ListeningPort {
  /** `0.0.0.0`, `127.0.0.1`, `::`. */
  readonly address: string;
  readonly port: number;
}

/** Source: systemctl(1), `show` and `cat`. */
export interface UnitFacts {
  readonly activeState: string;
  /** `enabled`, `disabled`, `static`, `masked`, …; empty if it has no file. */
  readonly fileState: string;
  /** Of its file. */
  readonly path: string;
  readonly dropIns: readonly string[];
  readonly environmentFiles: readonly string[];
  /** Its file and drop-ins as `systemctl cat` prints them. */
  readonly text: string;
  /** 0 while it does not run. */
  readonly mainPid: number;
}

export interface ProcessFacts {
  readonly pid: number;
  /** The last part of the path of its program: `kubelet`. */
  readonly program: string;
  readonly argv: readonly string[];
  /** It is a kube-proxy, and has no /etc/protocols where it lives: on the machine, or in its container. */
  readonly lacksProtocols?: boolean;
}

export interface FileFacts {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: number;
  /** Of the content, hexadecimal. */
  readonly sha256: string;
  /** Undefined if it is too large, or not text. Of files with certificates: these alone, without keys. */
  readonly text?: string;
}

export interface CertificateFacts {
  /** `system:node:shop-1`. */
  readonly commonName: string;
  /** The common name of who signed it. */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CniFacts {
  readonly configs: readonly string[];
  /** Folder and names of plugins. */
  readonly binaries: Readonly<Record<string, readonly string[]>>;
}

/** What of Selvedge, or of another edge system, is there. */
export interface SelvedgeFacts {
  /** What `edge-lite --version` says, if it is there. */
  readonly version?: string;
  /** True if a journal of this program is there. */
  readonly journal: boolean;
  /** Other edge agents, by the name of their unit or folder: `yurthub`. */
  readonly otherAgents: readonly string[];
}
