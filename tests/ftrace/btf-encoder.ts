/** Writes BTF, so that tests know what is in it. */

/** A type; others are told by their number, counted from 1 (from where the base ends), or 0 for void. */
export type EncodedType =
  | { readonly kind: "int"; readonly name: string; readonly size: number; readonly signed?: boolean }
  | { readonly kind: "ptr" | "const"; readonly of: number }
  | { readonly kind: "typedef"; readonly name: string; readonly of: number }
  | { readonly kind: "fwd"; readonly name: string }
  | { readonly kind: "struct" | "union"; readonly name: string; readonly size: number; readonly members: readonly EncodedMember[] }
  | { readonly kind: "enum"; readonly name: string; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: "prototype"; readonly returns: number; readonly parameters: readonly (readonly [name: string, type: number])[] }
  | { readonly kind: "func"; readonly name: string; readonly prototype: number }
  | { readonly kind: "array"; readonly of: number; readonly length: number };

/** Name, type, offset in bits; the width makes it a bit field, and the struct one that has some. */
type EncodedMember = readonly [name: string, type: number, offset: number, width?: number];

const NUMBERS = { int: 1, ptr: 2, array: 3, struct: 4, union: 5, enum: 6, fwd: 7, typedef: 8, const: 10, func: 12, prototype: 13 };

export interface EncodeOptions {
  readonly littleEndian?: boolean;
  /** Length of the strings of the base that it goes on from. */
  readonly stringsBefore?: number;
}

/** The bytes of types in that order, and how long their strings are, for a module that goes on from there. */
export function encodeBtf(
  types: readonly EncodedType[],
  options: EncodeOptions = {},
): { readonly bytes: Uint8Array; readonly strings: number } {
  const { littleEndian = true, stringsBefore = 0 } = options;
  let strings = stringsBefore === 0 ? "\0" : "";
  const named = (name: string): number => {
    if (name === "") return 0;
    const offset = stringsBefore + strings.length;
    strings += `${name}\0`;
    return offset;
  };
  const words: number[] = [];
  for (const type of types) words.push(...encodeType(type, named));
  const bytes = new DataView(new ArrayBuffer(24 + 4 * words.length + strings.length));
  bytes.setUint16(0, 0xeb9f, littleEndian);
  bytes.setUint8(2, 1);
  [24, 0, 4 * words.length, 4 * words.length, strings.length].forEach((word, at) => {
    bytes.setUint32(4 + 4 * at, word, littleEndian);
  });
  words.forEach((word, at) => {
    bytes.setUint32(24 + 4 * at, word >>> 0, littleEndian);
  });
  [...strings].forEach((letter, at) => {
    bytes.setUint8(24 + 4 * words.length + at, letter.charCodeAt(0));
  });
  return { bytes: new Uint8Array(bytes.buffer), strings: strings.length };
}

function encodeType(type: EncodedType, named: (name: string) => number): number[] {
  const head = (name: string, last: number, length = 0, flag = 0) => [
    named(name),
    (flag * 2 ** 31 + NUMBERS[type.kind] * 2 ** 24 + length) >>> 0,
    last,
  ];
  switch (type.kind) {
    case "int":
      return [...head(type.name, type.size), ((type.signed ? 1 : 0) << 24) | (8 * type.size)];
    case "ptr":
    case "const":
      return head("", type.of);
    case "typedef":
      return head(type.name, type.of);
    case "fwd":
      return head(type.name, 0);
    case "struct":
    case "union": {
      const withBitFields = type.members.some(([, , , width]) => width !== undefined);
      const members = type.members.flatMap(([name, of, offset, width = 0]) => [
        named(name),
        of,
        withBitFields ? width * 2 ** 24 + offset : offset,
      ]);
      return [...head(type.name, type.size, type.members.length, withBitFields ? 1 : 0), ...members];
    }
    case "enum": {
      const values = Object.entries(type.values);
      return [...head(type.name, 4, values.length), ...values.flatMap(([name, value]) => [named(name), value])];
    }
    case "prototype":
      return [...head("", type.returns, type.parameters.length), ...type.parameters.flatMap(([name, of]) => [named(name), of])];
    case "func":
      return head(type.name, type.prototype);
    case "array":
      return [...head("", 0), type.of, 1, type.length];
  }
}

/** A kernel in small: devices in groups, and functions that take them. */
export const SMALL_KERNEL: readonly EncodedType[] = [
  { kind: "int", name: "int", size: 4, signed: true }, // 1
  { kind: "int", name: "unsigned int", size: 4 },
  { kind: "int", name: "char", size: 1 },
  { kind: "ptr", of: 3 },
  { kind: "struct", name: "kobject", size: 64, members: [["name", 4, 0]] }, // 5
  { kind: "const", of: 7 },
  { kind: "struct", name: "iommu_domain", size: 16, members: [["type", 2, 0]] },
  { kind: "ptr", of: 6 },
  {
    kind: "struct",
    name: "iommu_group",
    size: 256,
    members: [
      ["kobj", 5, 0],
      ["id", 1, 144 * 8],
      ["default_domain", 8, 152 * 8],
      ["", 10, 160 * 8],
      ["owner_cnt", 2, 192 * 8],
    ],
  },
  {
    kind: "union",
    name: "",
    size: 16,
    members: [
      ["blocking_domain", 8, 0],
      ["", 11, 0],
    ],
  }, // 10
  {
    kind: "struct",
    name: "",
    size: 16,
    members: [
      ["unused", 8, 0],
      ["domain", 8, 64],
    ],
  },
  { kind: "ptr", of: 9 },
  {
    kind: "struct",
    name: "device",
    size: 800,
    members: [
      ["kobj", 5, 0],
      ["iommu_group", 12, 712 * 8],
      ["offline", 2, 720 * 8 + 3, 1],
    ],
  },
  { kind: "ptr", of: 13 },
  {
    kind: "struct",
    name: "pci_dev",
    size: 1000,
    members: [["dev", 13, 208 * 8]],
  }, // 15
  { kind: "ptr", of: 15 },
  {
    kind: "prototype",
    returns: 1,
    parameters: [
      ["domain", 8],
      ["group", 12],
    ],
  },
  { kind: "func", name: "iommu_attach_group", prototype: 17 },
  { kind: "prototype", returns: 0, parameters: [["dev", 14]] },
  { kind: "func", name: "iommu_release_device", prototype: 19 }, // 20
  { kind: "func", name: "twice", prototype: 19 },
  { kind: "func", name: "twice", prototype: 17 },
  { kind: "typedef", name: "ssize_t", of: 24 },
  { kind: "int", name: "long int", size: 8, signed: true },
  {
    kind: "prototype",
    returns: 23,
    parameters: [
      ["group", 12],
      ["buf", 4],
    ],
  }, // 25
  { kind: "func", name: "iommu_group_store_type", prototype: 25 },
];
