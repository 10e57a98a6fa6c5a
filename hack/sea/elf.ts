import { SelvedgeError } from '@selvedge/kit';

/** Places in the header of an ELF64 file and of one of its segments. Source: elf(5). */
const header = {
  segments: 0x20,
  sections: 0x28,
  segmentCount: 0x38,
  sectionCount: 0x3c,
  names: 0x3e,
  bytes: 64,
};
const segment = { offset: 8, length: 32, bytes: 56 };
const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);

/** Where the part of the file ends that is ever loaded. */
function loadedEnd(elf: Buffer): number {
  const start = Number(elf.readBigUInt64LE(header.segments));
  const count = elf.readUInt16LE(header.segmentCount);
  const ends = Array.from({ length: count }, (_, index) => {
    const at = start + index * segment.bytes;
    return Number(elf.readBigUInt64LE(at + segment.offset) + elf.readBigUInt64LE(at + segment.length));
  });
  return Math.max(start + count * segment.bytes, ...ends);
}

/**
 * A program without its symbols and debug information: without all that no segment holds, and without the table of sections,
 * which only linkers and debuggers read. For any processor, which `strip` is not. Throws `Invalid` if it is not an ELF64 of
 * a little-endian processor.
 */
export function stripped(elf: Buffer): Buffer {
  if (elf.length < header.bytes || !elf.subarray(0, magic.length).equals(magic)) {
    throw new SelvedgeError('this is no ELF64 program of a little-endian processor', { code: 'Invalid' });
  }
  const small = Buffer.from(elf.subarray(0, loadedEnd(elf)));
  small.writeBigUInt64LE(0n, header.sections);
  small.writeUInt16LE(0, header.sectionCount);
  small.writeUInt16LE(0, header.names);
  return small;
}
