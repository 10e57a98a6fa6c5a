import { cp, glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Shapes, departures, readShapes } from '../contract/descriptors.ts';

const root = join(import.meta.dirname, '../..');
const ourProtos = join(root, 'packages/containerd-grpc-types/proto');

/** Where the official description is: a folder of a Go module that something of the testbed is built from. */
interface Official {
  readonly module: string;
  /** Of the program that is built from it. */
  readonly program: string;
  readonly folder: string;
  /** What of it we describe; default: all. */
  readonly files?: readonly string[];
}

const officials: readonly Official[] = [
  { module: 'k8s.io/cri-api', program: 'kube', folder: 'pkg/apis/runtime/v1' },
  {
    module: 'github.com/containerd/containerd/api',
    program: 'containerd',
    folder: '.',
    files: ['services/tasks/v1/tasks.proto'],
  },
];

async function protosOf({ module, program, folder }: Official): Promise<string> {
  const cwd = join(root, 'test/bed/go', program);
  try {
    await run({ argv: ['go', 'mod', 'download', module], cwd });
    const { stdout } = await run({ argv: ['go', 'list', '-m', '-f', '{{.Dir}}', module], cwd });
    return join(stdout.trim(), folder);
  } catch (cause) {
    const hint = 'install Go 1.26 or newer and make sure that it reaches a module proxy';
    throw new SelvedgeError(`the official description, ${module}, is not there`, {
      code: 'NotFound',
      cause,
      hint,
    });
  }
}

const together = (all: readonly Shapes[]): Shapes => ({
  messages: new Map(all.flatMap(({ messages }) => [...messages])),
  enums: new Map(all.flatMap(({ enums }) => [...enums])),
  methods: new Map(all.flatMap(({ methods }) => [...methods])),
});

describe('our description of the CRI, and of what is beneath it', () => {
  let folder: string;
  let official: Shapes;
  const describeProtos = async (protos: string, only?: readonly string[]): Promise<Shapes> => {
    const files = only ?? (await Array.fromAsync(glob('**/*.proto', { cwd: protos }))).toSorted();
    const into = join(folder, 'set');
    const protoc = join(root, 'node_modules/.bin/protoc');
    await run({ argv: [protoc, `--proto_path=${protos}`, `--descriptor_set_out=${into}`, ...files] });
    return readShapes(await readFile(into));
  };
  /** Our description after one edit. */
  const edited = async (file: string, from: string, to: string): Promise<Shapes> => {
    const protos = join(folder, 'edited');
    await cp(ourProtos, protos, { recursive: true });
    const text = await readFile(join(protos, file), 'utf8');
    expect(text).toContain(from);
    await writeFile(join(protos, file), text.replace(from, to));
    return describeProtos(protos);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'selvedge-cri-proto-'));
    const shapes: Shapes[] = [];
    for (const one of officials) shapes.push(await describeProtos(await protosOf(one), one.files));
    official = together(shapes);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('agrees with the official ones in every field, enum value and method', async () => {
    const ours = await describeProtos(ourProtos);
    expect(departures(ours, official)).toEqual([]);
    expect(ours.methods.size).toBeGreaterThan(30);
    expect(ours.messages.size).toBeGreaterThan(100);
  });

  it.each([
    ['a number', 'int32 exit_code = 7;', 'int32 exit_code = 70;'],
    ['a type', 'int32 exit_code = 7;', 'int64 exit_code = 7;'],
    ['a label', 'repeated Mount mounts = 14;', 'Mount mounts = 14;'],
    ['a name', 'string log_path = 15;', 'string log_file = 15;'],
    ['a missing field', 'string log_path = 15;', ''],
    ['a field that is none', 'string log_path = 15;', 'string log_path = 15; string more = 99;'],
    ['a deprecated field that is not reserved', 'reserved 9, 10;', 'reserved 9;'],
    ['an enum value', 'CONTAINER_UNKNOWN = 3;', 'CONTAINER_UNKNOWN = 4;'],
    ['a map', 'map<string, string> labels = 12;', 'map<string, bytes> labels = 12;'],
    ['a message that is none', 'message AttachRequest {', 'message Own {}\nmessage AttachRequest {'],
  ])('is told apart by %s', async (_, from, to) => {
    const ours = await edited('cri/container.proto', from, to);
    expect(departures(ours, official)).not.toEqual([]);
  });

  it('is told apart by a field of a task', async () => {
    const ours = await edited('containerd/tasks.proto', 'bool all = 4;', 'bool all = 5;');
    expect(departures(ours, official)).not.toEqual([]);
  });

  it('is told apart by a method', async () => {
    const ours = await edited(
      'cri/runtime.proto',
      'returns (stream ContainerEventResponse)',
      'returns (StatusResponse)',
    );
    expect(departures(ours, official)).toHaveLength(1);
  });
});
