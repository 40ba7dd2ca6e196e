import type { Proc } from "./procedure.js";
import type { Local } from "./runtime.js";
import type { ScalarsOf, Schema, View } from "./schema.js";

/** A thread of a scenario: a procedure with its arguments, under a name that traces use as a column. */
export interface Thread {
  readonly name: string;
  readonly procedure: (...parameters: never[]) => Proc<unknown>;
  readonly parameters: readonly Local[];
}

/** `thread("qemu", vfio_user, group0)`. */
export function thread<P extends readonly Local[]>(name: string, procedure: (...parameters: P) => Proc<unknown>, ...parameters: P): Thread {
  return { name, procedure: procedure as unknown as Thread["procedure"], parameters };
}

/**
 * Makes an object that exists from the start: `make("iommu_group", "group0", { default_domain: dom0 })`. The
 * name is what traces call it.
 */
export type Make<Sc extends Schema> = <K extends keyof Sc["declaration"] & string>(
  struct: K,
  name: string,
  initial?: Partial<ScalarsOf<Sc["declaration"], K>>,
) => View<Sc, K>;

/** Topology (the objects that exist), workload (the threads) and bounds. */
export interface Scenario<Sc extends Schema = Schema> {
  readonly name: string;
  /** One sentence: who does what on which devices. */
  readonly describes: string;
  /** The machine in a few words, for the verdict's line: driver model and devices. Default: all objects that always exist. */
  readonly setting?: string;
  readonly schema: Sc;
  /**
   * Slots of each struct that is allocated or freed while the model runs, those made in `setup` included.
   * A struct that is not named here has exactly the objects that `setup` makes, for ever.
   */
  readonly pools?: Partial<Record<keyof Sc["declaration"] & string, number>>;
  /** How many failures may be injected in one behaviour. Default 0; `--faults N` overrides. */
  readonly faults?: number;
  /**
   * Every behaviour is expected to come to an end: each thread finishes, or rests at an `idle()`. Turns on the
   * checks of the end: `livelock` (a state from which no end can be reached) and `leak` in the ends themselves.
   * Default false: the threads may go on for ever.
   */
  readonly terminates?: boolean;
  /** Makes the objects and returns the threads. Plain assignments and list edits work here. */
  readonly setup: (make: Make<Sc>) => readonly Thread[];
}

/** Declares a scenario of a schema. */
export function scenario<Sc extends Schema>(schema: Sc, name: string, declaration: Omit<Scenario<Sc>, "schema" | "name">): Scenario {
  // Suites join designs and scenarios of any schema, so the type that `setup` was checked against is dropped here.
  return { schema, name, ...declaration } as unknown as Scenario;
}
