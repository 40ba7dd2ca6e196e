/** The bounds of a machine: what is said of it is said of no more threads, objects and failures than these. */
import type { StructInfo } from "../lang/schema.js";
import type { Machine } from "./machine.js";

export interface Bounds {
  /** Names of the threads. */
  readonly threads: readonly string[];
  /** Slots of each struct whose objects are allocated or freed while the model runs. */
  readonly pools: Readonly<Record<string, number>>;
  /** Names of the objects of each struct that exist from beginning to end: the devices, and the driver model. */
  readonly objects: Readonly<Record<string, readonly string[]>>;
  /** Failures that may be injected in one behaviour. */
  readonly faults: number;
  readonly faultPolicy: "contract" | "any";
}

export function boundsOf(machine: Machine): Bounds {
  const { layout, names } = machine;
  const structs = (dynamic: boolean) =>
    layout.schema.structs.filter((struct) => layout.pools.dynamic[struct.number] === dynamic && layout.slots(struct) > 0);
  const named = (struct: StructInfo) => Array.from({ length: layout.slots(struct) }, (_, slot) => names.object(struct, slot));
  return {
    threads: machine.threads.map(({ name }) => name),
    pools: Object.fromEntries(structs(true).map((struct) => [struct.name, layout.slots(struct)])),
    objects: Object.fromEntries(structs(false).map((struct) => [struct.name, named(struct)])),
    faults: machine.faults,
    faultPolicy: machine.faultPolicy,
  };
}
