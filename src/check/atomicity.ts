/**
 * Whether the author's steps are as fine as the C's. A step may hide interleavings only if it has Lipton's
 * shape: acquires and accesses that nothing can interfere with, then at most one access that something can,
 * then such harmless accesses and releases. (Lipton, Reduction: a method of proving properties of parallel
 * programs, CACM 1975.)
 */
import type { Location } from "../lang/errors.js";
import type { Names } from "../state/names.js";
import type { Access, BlockRun } from "../step/block.js";
import type { Control } from "../step/control.js";

/** A kind of step that is too coarse, and where it first happened. */
export interface CoarseStep<Occurrence> {
  readonly message: string;
  readonly location: Location | null;
  readonly first: Occurrence;
}

interface Shape<Occurrence> {
  readonly thread: number;
  readonly accesses: readonly Access[];
  readonly location: Location | null;
  readonly first: Occurrence;
}

function include(threads: Map<number, Set<number>>, cell: number, thread: number): void {
  const known = threads.get(cell);
  if (known) known.add(thread);
  else threads.set(cell, new Set([thread]));
}

/** Collects every shape of step of a run; the judgement needs to know which memory is shared, so it comes at the end. */
export class Atomicity<Occurrence> {
  readonly #shapes = new Map<string, Shape<Occurrence>>();
  readonly #threadsTouching = new Map<number, Set<number>>();
  readonly #written = new Set<number>();
  /** Threads that load or store a cell without the lock that guards it, by cell. */
  readonly #racing = { loads: new Map<number, Set<number>>(), stores: new Map<number, Set<number>>() };

  /** Notes a block of a thread. `first` is kept for the first block of its shape. */
  note(control: Control, block: Pick<BlockRun, "accesses" | "stored" | "atomicBecause">, first: Occurrence): void {
    for (const access of block.accesses) {
      if (access.kind !== "access") continue;
      include(this.#threadsTouching, access.cell, control.thread);
      if (!access.guarded) include(access.writes ? this.#racing.stores : this.#racing.loads, access.cell, control.thread);
    }
    for (const cell of block.stored) this.#written.add(cell);
    if (block.atomicBecause !== null || block.accesses.length < 2) return;
    const location = control.frames.at(-1)?.site.location ?? null;
    const key = `${control.thread} ${location?.file}:${location?.line}:${location?.column} ${block.accesses.map(({ kind, cell, guarded, writes }) => `${kind[0]}${kind[1]}${cell}${guarded}${writes}`).join()}`;
    if (!this.#shapes.has(key)) this.#shapes.set(key, { thread: control.thread, accesses: block.accesses, location, first });
  }

  /** The steps that are too coarse, one for each place, in order of discovery. */
  judge(names: Names): CoarseStep<Occurrence>[] {
    const found = new Map<string, CoarseStep<Occurrence>>();
    for (const { thread, accesses, location, first } of this.#shapes.values()) {
      const excess = this.#excess(thread, accesses);
      if (excess === null) continue;
      const place = `${location?.file}:${location?.line}:${location?.column}`;
      if (!found.has(place)) found.set(place, { message: this.#explain(excess, thread, accesses, names), location, first });
    }
    return [...found.values()];
  }

  /** Position of the access that breaks the shape, or null. */
  #excess(thread: number, accesses: readonly Access[]): number | null {
    // Before the one access that others can interfere with only right movers may stand; after it, or after a release, only left movers.
    let committed = false;
    for (const [position, access] of accesses.entries()) {
      if (access.kind === "acquire") {
        if (committed) return position;
      } else if (access.kind === "release") committed = true;
      else if (!this.#isHarmless(thread, access)) {
        if (committed) return position;
        committed = true;
      }
    }
    return null;
  }

  /** Nothing can interfere with it: its lock is held by all who do, or nobody ever writes it, or one thread alone touches it. */
  #isHarmless(thread: number, { cell, guarded, writes }: Access): boolean {
    if (!this.#written.has(cell) || (this.#threadsTouching.get(cell)?.size ?? 0) < 2) return true;
    const isRaced = (by: ReadonlyMap<number, ReadonlySet<number>>) => [...(by.get(cell) ?? [])].some((other) => other !== thread);
    return guarded && !isRaced(this.#racing.stores) && !(writes && isRaced(this.#racing.loads));
  }

  #explain(excess: number, thread: number, accesses: readonly Access[], names: Names): string {
    const describe = (access: Access) =>
      access.kind === "access"
        ? `an access to ${names.cell(access.cell).replace(/[[{].*$/, "")}`
        : `the ${access.kind} of ${names.cell(access.cell)}`;
    const committing = accesses
      .slice(0, excess)
      .findLast((access) => access.kind === "release" || (access.kind === "access" && !this.#isHarmless(thread, access)));
    return `this step is coarser than the C: ${describe(accesses[excess] as Access)} comes after ${committing ? describe(committing) : "another"} with no yield between`;
  }
}
