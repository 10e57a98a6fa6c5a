import { fromBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

interface MessageShape {
  /** Number → everything that the wire and a reader depend on. */
  readonly fields: ReadonlyMap<number, FieldDescriptorProto>;
  readonly reserved: ReadonlySet<number>;
}

/** What a set of .proto files says, by full name. */
export interface Shapes {
  readonly messages: ReadonlyMap<string, MessageShape>;
  /** Enum → "NAME = number", sorted. */
  readonly enums: ReadonlyMap<string, string>;
  /** Service and method → request and answer. */
  readonly methods: ReadonlyMap<string, string>;
}

function reservedNumbers(message: DescriptorProto): Set<number> {
  const numbers = new Set<number>();
  for (const { start, end } of message.reservedRange) {
    for (let number = start; number < end; number += 1) numbers.add(number);
  }
  return numbers;
}

function enumText({ value }: EnumDescriptorProto): string {
  return value
    .map(({ name, number }) => `${name} = ${number}`)
    .toSorted()
    .join(', ');
}

/** Reads the output of `protoc --descriptor_set_out`. */
export function readShapes(descriptorSet: Uint8Array): Shapes {
  const messages = new Map<string, MessageShape>();
  const enums = new Map<string, string>();
  const methods = new Map<string, string>();
  const addMessage = (scope: string, message: DescriptorProto): void => {
    const name = `${scope}.${message.name}`;
    const fields = new Map(message.field.map((field) => [field.number, field]));
    messages.set(name, { fields, reserved: reservedNumbers(message) });
    for (const nested of message.nestedType) addMessage(name, nested);
    for (const nested of message.enumType) enums.set(`${name}.${nested.name}`, enumText(nested));
  };
  for (const file of fromBinary(FileDescriptorSetSchema, descriptorSet).file) {
    for (const message of file.messageType) addMessage(file.package, message);
    for (const one of file.enumType) enums.set(`${file.package}.${one.name}`, enumText(one));
    for (const service of file.service) {
      for (const method of service.method) {
        const { inputType, outputType, clientStreaming, serverStreaming } = method;
        const request = `${clientStreaming ? 'stream ' : ''}${inputType}`;
        const answer = `${serverStreaming ? 'stream ' : ''}${outputType}`;
        methods.set(`${file.package}.${service.name}/${method.name}`, `${request} → ${answer}`);
      }
    }
  }
  return { messages, enums, methods };
}

const fieldText = ({
  name,
  label,
  type,
  typeName,
  oneofIndex,
  proto3Optional,
}: FieldDescriptorProto): string =>
  JSON.stringify({ name, label, type, typeName, oneofIndex, proto3Optional });

function messageDifferences(name: string, ours: MessageShape, theirs: MessageShape): string[] {
  const differences: string[] = [];
  for (const number of new Set([...ours.fields.keys(), ...theirs.fields.keys()])) {
    const [our, their] = [ours.fields.get(number), theirs.fields.get(number)];
    const left = our === undefined && their?.options?.deprecated === true && ours.reserved.has(number);
    if (left) continue;
    const [a, b] = [our, their].map((field) => (field === undefined ? 'absent' : fieldText(field)));
    if (a !== b) differences.push(`${name} field ${number}: ${a}, officially ${b}`);
  }
  return differences;
}

function textDifferences(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): string[] {
  return [...ours]
    .filter(([name, text]) => theirs.get(name) !== text)
    .map(([name, text]) => `${name}: ${text}, officially ${theirs.get(name) ?? 'absent'}`);
}

/**
 * How `ours` departs from `theirs`. We may leave out whole messages, enums and methods; of a message that we have,
 * only deprecated fields, and these must be reserved.
 */
export function departures(ours: Shapes, theirs: Shapes): string[] {
  const none: MessageShape = { fields: new Map(), reserved: new Set() };
  return [
    ...Array.from(ours.messages.keys()).filter((name) => !theirs.messages.has(name)),
    ...[...ours.messages].flatMap(([name, shape]) =>
      messageDifferences(name, shape, theirs.messages.get(name) ?? none),
    ),
    ...textDifferences(ours.enums, theirs.enums),
    ...textDifferences(ours.methods, theirs.methods),
  ];
}
