/**
 * Objects that are allocated although nobody can get at them any more. What counts as a hold on an object: the
 * objects that always exist, the locals of the threads, and the setup for what it made without storing a pointer to it.
 */
import { allocatedObjects, type ObjectPlace, placeOf, reachableObjects } from "../state/reach.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";

/** What is lost of one struct in one state. */
export interface Leak {
  readonly message: string;
  /** Names of the objects. */
  readonly subject: string;
  /** Cells of their reference counts that are not zero. */
  readonly counts: readonly number[];
}

/** Allocated objects that cannot be reached in the state, by whose cells `read` answers; `controls` has one for each thread. */
export function lostObjects(machine: Machine, read: (cell: number) => number, controls: readonly Control[]): ObjectPlace[] {
  const { layout, heldBySetup } = machine;
  const allocated = allocatedObjects(layout, read);
  if (allocated.length === 0) return [];
  const locals = controls.flatMap(({ references }) => references.map(placeOf));
  const held = allocated.filter(({ cell }) => heldBySetup.has(cell));
  const reached = reachableObjects(layout, read, [...locals, ...held]);
  return allocated.filter(({ cell }) => !reached.has(cell));
}

/** The leaks of an end of the scenario, by struct. */
export function leaksAtEnd(machine: Machine, read: (cell: number) => number, controls: readonly Control[]): Leak[] {
  const { layout, names } = machine;
  const lost = lostObjects(machine, read, controls);
  return [...new Set(lost.map(({ struct }) => struct))].map((struct): Leak => {
    const own = lost.filter((place) => place.struct === struct);
    const refcounts = struct.fields.filter(({ spec }) => spec.kind === "refcount");
    const counts = own.flatMap(({ slot }) => refcounts.map((field) => layout.fieldCell(field, slot))).filter((cell) => read(cell) !== 0);
    const nobodyDrops = counts.length === 0 ? "" : ", with references that nobody will drop";
    return {
      message: `at the end ${struct.name} is still allocated, but nothing refers to it${nobodyDrops}`,
      subject: own.map(({ slot }) => names.object(struct, slot)).join(", "),
      counts,
    };
  });
}
