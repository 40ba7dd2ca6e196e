/**
 * Reads BTF, the types that a kernel tells of itself: `/sys/kernel/btf/vmlinux`, and beside it one file of each module, which goes on where
 * that of the kernel ends. The form is that of Documentation/bpf/btf.rst. Only what probes need is looked at: where members are, and
 * what functions take and return.
 */
import { ModelError } from "../lang/errors.js";

/** A type by its number; 0 is void. */
export type TypeId = number;

export interface Member {
  /** "" of an anonymous struct or union, whose members are those of what it stands in. */
  readonly name: string;
  readonly type: TypeId;
  readonly bitOffset: number;
}

export interface Parameter {
  /** "" where the source gives none. */
  readonly name: string;
  readonly type: TypeId;
}

export interface Prototype {
  readonly parameters: readonly Parameter[];
  readonly returns: TypeId;
}

/** Where a member is: one offset, and another for each pointer on the way that is followed. */
export interface MemberPath {
  readonly offsets: readonly number[];
  readonly type: TypeId;
}

const KINDS = [
  "void",
  "int",
  "ptr",
  "array",
  "struct",
  "union",
  "enum",
  "fwd",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "func",
  "func_proto",
  "var",
  "datasec",
  "float",
  "decl_tag",
  "type_tag",
  "enum64",
] as const;
type Kind = (typeof KINDS)[number];

/** Bytes behind the three words that every type has: so many, and so many for each of its elements. */
const SIZES: Readonly<Record<Exclude<Kind, "void">, readonly [number, number]>> = {
  int: [4, 0],
  ptr: [0, 0],
  array: [12, 0],
  struct: [0, 12],
  union: [0, 12],
  enum: [0, 8],
  fwd: [0, 0],
  typedef: [0, 0],
  volatile: [0, 0],
  const: [0, 0],
  restrict: [0, 0],
  func: [0, 0],
  func_proto: [0, 8],
  var: [4, 0],
  datasec: [0, 12],
  float: [0, 0],
  decl_tag: [4, 0],
  type_tag: [0, 0],
  enum64: [0, 12],
};

/** What changes nothing of where things are and what they are called. */
const QUALIFIERS: readonly Kind[] = ["volatile", "const", "restrict", "type_tag"];

const MAGIC = 0xeb9f;
const WORDS = 12;

/** Machines with an IOMMU that is modelled have 64 bits. */
const POINTER = 8;

export class Btf {
  readonly #base: Btf | null;
  readonly #bytes: DataView;
  readonly #littleEndian: boolean;
  /** Where the words of each type begin, from the first that the base has not. */
  readonly #types: number[] = [];
  readonly #strings: { readonly start: number; readonly length: number };
  readonly #byName = new Map<string, TypeId>();

  /** Of a module, `base` is that of its kernel. `file` is how errors call it. Throws a ModelError if the bytes are no BTF. */
  constructor(bytes: Uint8Array, file: string, base: Btf | null = null) {
    this.#base = base;
    this.#bytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isElf = bytes.length >= 4 && this.#bytes.getUint32(0) === 0x7f454c46;
    if (isElf) throw new ModelError(`${file} is a program, not its BTF`, `Cut it out: objcopy -O binary -j .BTF ${file} vmlinux.btf`);
    this.#littleEndian = bytes.length >= 2 && this.#bytes.getUint16(0, true) === MAGIC;
    if (bytes.length < 24 || this.#bytes.getUint16(0, this.#littleEndian) !== MAGIC) {
      throw new ModelError(`${file} is no BTF`, "Give a copy of /sys/kernel/btf/vmlinux of the kernel that is to be recorded.");
    }
    const start = this.#word(4);
    this.#strings = { start: start + this.#word(16), length: this.#word(20) };
    const [first, end] = [start + this.#word(8), start + this.#word(8) + this.#word(12)];
    if (Math.max(end, this.#strings.start + this.#strings.length) > bytes.length) {
      throw new ModelError(`${file} ends too early`, "It was cut short; copy it again.");
    }
    for (let at = first; at < end; at = this.#behind(at, file)) {
      this.#types.push(at);
      const id = this.count - 1;
      const key = keyOf(this.#kindAt(at), this.#string(this.#word(at)));
      // Of several types of a name the first; two functions of a name are none, since nobody knows which is probed.
      if (!this.#byName.has(key)) this.#byName.set(key, id);
      else if (key.startsWith("func ")) this.#byName.set(key, 0);
    }
  }

  /** How many types there are, with those of the base and void. */
  get count(): number {
    return this.#firstOwn + this.#types.length;
  }

  /** The struct of that name; null if there is none. */
  struct(name: string): TypeId | null {
    return this.#byName.get(keyOf("struct", name)) ?? this.#base?.struct(name) ?? null;
  }

  /**
   * What the function takes and returns; null if it is not told: where it is not, was inlined everywhere, shares its name with another, or
   * was changed by the compiler so that its parameters are not where they belong.
   */
  prototype(name: string): Prototype | null {
    const id = this.#byName.get(keyOf("func", name)) ?? null;
    if (id === null) return this.#base?.prototype(name) ?? null;
    if (id === 0) return null;
    const { owner, at } = this.#find(this.#target(id));
    const parameters = Array.from({ length: owner.#length(at) }, (_, number) => {
      const parameter = at + WORDS + 8 * number;
      return { name: this.#nameFrom(owner, parameter), type: owner.#word(parameter + 4) };
    });
    return { parameters, returns: owner.#word(at + 8) };
  }

  /** Where `path`, such as `iommu_group->default_domain`, is in a struct; null if the struct or a member on the way is not there. */
  path(struct: string, path: string): MemberPath | null {
    const start = this.struct(struct);
    if (start === null) return null;
    const offsets = [0];
    let type: TypeId = start;
    for (const name of path.split(/->|\./)) {
      const outer = this.plain(type);
      if (this.kind(outer) === "ptr") {
        offsets.push(0);
        type = this.#target(outer);
      }
      const member = this.#member(type, name);
      // A bit field has no address.
      if (member === null || member.bitOffset % 8 !== 0) return null;
      offsets.push((offsets.pop() as number) + member.bitOffset / 8);
      type = member.type;
    }
    return { offsets, type };
  }

  /** The type without const, volatile and the like. */
  plain(type: TypeId): TypeId {
    return QUALIFIERS.includes(this.kind(type)) ? this.plain(this.#target(type)) : type;
  }

  kind(type: TypeId): Kind {
    if (type === 0) return "void";
    const { owner, at } = this.#find(type);
    return owner.#kindAt(at);
  }

  /** As C writes it, without qualifiers: `struct device *`, `unsigned int`, `bool`. */
  describe(type: TypeId): string {
    const plain = this.plain(type);
    const kind = this.kind(plain);
    if (kind === "void") return "void";
    if (kind === "ptr") {
      const target = this.describe(this.#target(plain));
      return target.endsWith("*") ? `${target}*` : `${target} *`;
    }
    const { owner, at } = this.#find(plain);
    const name = this.#nameFrom(owner, at);
    if (kind === "array") return "array";
    if (kind === "func_proto") return "function";
    if (kind === "fwd") return `struct ${name}`;
    return ["struct", "union", "enum", "enum64"].includes(kind) ? `${kind.replace("64", "")} ${name}` : name;
  }

  /** How wide a number or pointer is, in bytes, and whether it may be negative; null for what is neither. */
  scalar(type: TypeId): { readonly size: number; readonly signed: boolean } | null {
    const plain = this.#throughTypedefs(type);
    const kind = this.kind(plain);
    if (kind === "ptr") return { size: POINTER, signed: false };
    if (kind !== "int" && kind !== "enum" && kind !== "enum64") return null;
    const { owner, at } = this.#find(plain);
    // An enum says by its flag whether it has negative values, a whole number by its encoding.
    const signed = kind === "int" ? ((owner.#word(at + WORDS) >>> 24) & 1) === 1 : owner.#word(at + 4) >>> 31 === 1;
    return { size: owner.#word(at + 8), signed };
  }

  /** The member of a struct or union, also one of an anonymous struct or union in it. */
  #member(type: TypeId, name: string): Member | null {
    const outer = this.#throughTypedefs(type);
    if (!["struct", "union"].includes(this.kind(outer))) return null;
    for (const member of this.#members(outer)) {
      if (member.name === name) return member;
      const inner = member.name === "" ? this.#member(member.type, name) : null;
      if (inner !== null) return { ...inner, bitOffset: member.bitOffset + inner.bitOffset };
    }
    return null;
  }

  #members(type: TypeId): Member[] {
    const { owner, at } = this.#find(type);
    const withBitFields = owner.#word(at + 4) >>> 31 === 1;
    return Array.from({ length: owner.#length(at) }, (_, number) => {
      const member = at + WORDS + 12 * number;
      const offset = owner.#word(member + 8);
      return {
        name: this.#nameFrom(owner, member),
        type: owner.#word(member + 4),
        // Beside bit fields the upper byte is the width.
        bitOffset: withBitFields ? offset & 0xffffff : offset,
      };
    });
  }

  #throughTypedefs(type: TypeId): TypeId {
    const plain = this.plain(type);
    return this.kind(plain) === "typedef" ? this.#throughTypedefs(this.#target(plain)) : plain;
  }

  /** What a pointer, a typedef, a qualifier or a function is of. */
  #target(type: TypeId): TypeId {
    const { owner, at } = this.#find(type);
    return owner.#word(at + 8);
  }

  #find(type: TypeId): { readonly owner: Btf; readonly at: number } {
    if (this.#base !== null && type < this.#firstOwn) return this.#base.#find(type);
    return { owner: this, at: this.#types[type - this.#firstOwn] as number };
  }

  get #firstOwn(): number {
    return this.#base?.count ?? 1;
  }

  #nameFrom(owner: Btf, at: number): string {
    return owner.#string(owner.#word(at));
  }

  /** A module's strings are numbered on from those of the kernel. */
  #string(offset: number): string {
    const before = this.#base === null ? 0 : this.#base.#strings.length;
    if (this.#base !== null && offset < before) return this.#base.#string(offset);
    const start = this.#strings.start + offset - before;
    let end = start;
    while (end < this.#bytes.byteLength && this.#bytes.getUint8(end) !== 0) end++;
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString("utf8");
  }

  #behind(at: number, file: string): number {
    const kind = KINDS[(this.#word(at + 4) >>> 24) & 0x1f];
    if (kind === undefined || kind === "void")
      throw new ModelError(`${file} has types of a kind that is not known`, "It is newer than this tool.");
    const [fixed, each] = SIZES[kind];
    return at + WORDS + fixed + each * this.#length(at);
  }

  #kindAt(at: number): Kind {
    return KINDS[(this.#word(at + 4) >>> 24) & 0x1f] as Kind;
  }

  #length(at: number): number {
    return this.#word(at + 4) & 0xffff;
  }

  #word(at: number): number {
    return this.#bytes.getUint32(at, this.#littleEndian);
  }
}

function keyOf(kind: Kind, name: string): string {
  return `${kind} ${name}`;
}
