import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../setup/command.ts';
import type { Generator } from './generator.ts';

const folder = 'packages/containerd-grpc-types/src/gen';
const protos = 'packages/containerd-grpc-types/proto';

/** ts-proto's options: code of erasable syntax, 64-bit numbers as bigint, and a table of methods for each service. */
const options = [
  'outputServices=generic-definitions',
  'forceLong=bigint',
  'useOptionals=messages',
  'outputJsonMethods=false',
  'outputPartialMethods=false',
  'env=node',
  'esModuleInterop=true',
  'enumsAsLiterals=true',
  'importSuffix=.ts',
].join(',');

/** The messages, codecs and method tables of `packages/containerd-grpc-types`, from its .proto files. */
export const protoTypes: Generator = {
  name: 'protos',
  folder,
  async generate(root) {
    const bin = `${root}node_modules/.bin`;
    const sources = (await Array.fromAsync(glob('**/*.proto', { cwd: `${root}${protos}` }))).toSorted();
    const into = await mkdtemp(join(tmpdir(), 'selvedge-protos-'));
    const flags = [
      `--plugin=protoc-gen-ts_proto=${bin}/protoc-gen-ts_proto`,
      `--ts_proto_out=${into}`,
      `--ts_proto_opt=${options}`,
      `--proto_path=${root}${protos}`,
    ];
    try {
      await run({ argv: [`${bin}/protoc`, ...flags, ...sources] });
      // Those of what they import too.
      const outputs = (await Array.fromAsync(glob('**/*.ts', { cwd: into }))).toSorted();
      const contents = await Promise.all(outputs.map((output) => readFile(join(into, output), 'utf8')));
      return outputs.map((output, index) => ({
        path: `${folder}/${output}`,
        content: contents[index] ?? '',
      }));
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  },
};
