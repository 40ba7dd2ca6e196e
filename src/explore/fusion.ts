/**
 * Which steps may be fused with the one before them: steps that commute with everything that other threads can do while
 * their thread stands there, and that no property can see. In a state in which a thread has such a step and no other, the
 * other threads can as well wait until it is taken; so it is taken at once, and the state in between is not kept. (Lipton,
 * Reduction, CACM 1975; as a persistent set: Godefroid, Partial-Order Methods, 1996.)
 *
 * What a step touches, and what others do, is known of the paths that have been learned. A path that is learned later may
 * show that a fusion was wrong: the run in which that happens is given up (reduced.ts).
 */
import type { Answer } from "../check/evaluate.js";
import type { FieldInfo, StructInfo } from "../lang/schema.js";
import { FREED, LIVE } from "../state/layout.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { append } from "./append.js";
import type { LearnedInstance } from "./learner.js";
import { type LockedStep, Locksets, lockBits } from "./locksets.js";
import type { PathBlock, TakenPath } from "./paths.js";

/** What a learned path of a block touches. */
interface Path extends LockedStep {
  /** Number of its leaf; null if the block is blocked there. */
  readonly leaf: number | null;
  readonly reads: readonly number[];
  /** Of it alone can it be said that it may be fused: it is one step, which decides nothing and of which nothing is to be said. */
  readonly isPlain: boolean;
  /** Structs of which it allocates an object, frees one, or may let go of one: the last reference to what was freed makes its slot free again. */
  readonly allocates: ReadonlySet<StructInfo>;
  readonly frees: ReadonlySet<StructInfo>;
  readonly drops: ReadonlySet<StructInfo>;
}

/** Who touches a cell, and which mutexes keep others from it meanwhile. */
interface Access {
  readonly thread: number;
  readonly guards: bigint;
  readonly writes: boolean;
}

export class Fusion {
  readonly #paths: Path[] = [];
  /** By cell that a property reads, the sets of mutexes that it had seen to be free before it did. */
  readonly #seen = new Map<number, Set<bigint>>();
  #leaves = 0;

  constructor(readonly machine: Machine) {}

  /** A path of a block has been learned. */
  notePath({ control, block }: TakenPath): void {
    this.#paths.push(this.#pathOf(control, block, block.outcome === "blocked" ? null : this.#leaves++));
  }

  /** An answer of a property has been learned. Ends are never passed over, so that what is asked there alone cannot be missed. */
  noteAnswer({ instance }: LearnedInstance, { reads }: Answer): void {
    const { layout } = this.machine;
    if (instance.property.window.kind === "atEnd") return;
    let free = 0n;
    for (const { cell, code } of reads) {
      const touched = cell % layout.cells.length;
      const known = this.#seen.get(touched);
      if (known) known.add(free);
      else this.#seen.set(touched, new Set([free]));
      if (code === 0) free |= lockBits(layout, touched);
    }
  }

  /**
   * Numbers of the leaves whose steps may be fused, by all that is known; what stands for others by symmetry may do what its images do.
   * As more is learned, a leaf that is not among them never will be.
   */
  fusible(images: readonly TakenPath[]): Set<number> {
    const paths = [...this.#paths, ...images.map(({ control, block }) => this.#pathOf(control, block, null))];
    const locksets = new Locksets(this.machine, paths);
    const accesses = accessesOf(paths, locksets);
    const freed = new Set(paths.flatMap(({ frees }) => [...frees]));
    const pools = { allocates: new Map<StructInfo, Access[]>(), drops: new Map<StructInfo, Access[]>() };
    for (const path of paths) {
      const access = { thread: path.control.thread, guards: locksets.guardsOf(path.control), writes: true };
      for (const struct of path.allocates) append(pools.allocates, struct, access);
      for (const struct of path.drops) append(pools.drops, struct, access);
    }
    const found = new Set<number>();
    for (const { isPlain, leaf, control, reads, writes, allocates, drops } of this.#paths) {
      if (!isPlain || leaf === null) continue;
      const held = locksets.heldAt(control);
      const meets = (others: readonly Access[] = []) =>
        others.some(({ thread, guards }) => thread !== control.thread && (guards & held) === 0n);
      const isSeen = (cell: number) => [...(this.#seen.get(cell) ?? [])].some((free) => (free & held) === 0n);
      const commutes =
        reads.every((cell) => !meets(accesses.get(cell)?.filter(({ writes }) => writes))) &&
        [...writes.keys()].every((cell) => !meets(accesses.get(cell)) && !isSeen(cell)) &&
        [...drops].every((struct) => !freed.has(struct) || !meets(pools.allocates.get(struct))) &&
        [...allocates].every((struct) => !freed.has(struct) || !meets(pools.drops.get(struct)));
      if (commutes) found.add(leaf);
    }
    return found;
  }

  #pathOf(control: Control, block: PathBlock, leaf: number | null): Path {
    const { layout } = this.machine;
    const { decisions, next, fault } = block;
    const writes = next === null ? new Map<number, number>() : block.writes;
    const liveness = (code: number) =>
      [...writes].flatMap(([cell, written]) => {
        const place = layout.cells[cell];
        return place?.kind === "liveness" && written === code ? [place.struct] : [];
      });
    const exhausted = layout.schema.structs.filter(({ number }) => number === fault?.exhausted);
    const kept = new Set(next?.references ?? []);
    const letGo = control.references.filter((view) => !kept.has(view)).map(({ $struct }) => $struct);
    const overwritten = [...writes.keys()].flatMap((cell) => {
      const place = layout.cells[cell];
      return place?.kind === "field" ? pointedTo(place.field) : [];
    });
    return {
      control,
      next,
      leaf,
      writes,
      reads: decisions.flatMap((decision) => (decision.kind === "read" ? [decision.cell] : [])),
      isPlain:
        next !== null &&
        next.kind !== "return" &&
        !["idle", "idle-until"].includes(control.kind) &&
        block.reports.length === 0 &&
        block.acquisitions.length === 0 &&
        decisions.every(({ kind }) => kind === "read"),
      allocates: new Set([...liveness(LIVE), ...exhausted]),
      frees: new Set(liveness(FREED)),
      drops: new Set([...letGo, ...overwritten]),
    };
  }
}

function accessesOf(paths: readonly Path[], locksets: Locksets): Map<number, Access[]> {
  const accesses = new Map<number, Access[]>();
  const known = new Set<string>();
  for (const { control, reads, writes } of paths) {
    const { thread } = control;
    const guards = locksets.guardsOf(control);
    const add = (cell: number, isWrite: boolean) => {
      const key = `${cell} ${thread} ${guards} ${isWrite}`;
      if (known.has(key)) return;
      known.add(key);
      append(accesses, cell, { thread, guards, writes: isWrite });
    };
    for (const cell of reads) add(cell, false);
    for (const cell of writes.keys()) add(cell, true);
  }
  return accesses;
}

/** The struct whose objects the field can refer to. */
function pointedTo({ spec, struct: { schema } }: FieldInfo): StructInfo[] {
  if (spec.kind === "ref") return [schema.struct(spec.to)];
  return spec.kind === "set" || spec.kind === "list" ? [schema.struct(spec.of)] : [];
}
