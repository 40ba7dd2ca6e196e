/** What a run needs to know of its machine, and what it may be asked for. */
import type { Location } from "../lang/errors.js";
import type { Thread } from "../lang/scenario.js";
import type { Layout } from "../state/layout.js";
import type { Names } from "../state/names.js";
import type { ControlRegister, Witness } from "./control.js";
import type { ParkedRuns } from "./parked.js";
import type { BlockConduct } from "./provenance.js";

export interface RunEnvironment {
  readonly layout: Layout;
  readonly names: Names;
  readonly threads: readonly Thread[];
  readonly registers: readonly ControlRegister[];
  readonly applied: ReadonlySet<string>;
  /** Commits of which somebody asked whether they are applied. */
  readonly asked: Set<string>;
  readonly faultPolicy: "contract" | "any";
  /** Procedures whose return some property watches. */
  readonly watched: ReadonlySet<string>;
  readonly parked: ParkedRuns;
  /** Takes what a block did for drivers' operations, if somebody wants to know. */
  readonly onConduct: ((conduct: BlockConduct) => void) | null;
  /** First place in model source on an error's stack. */
  readonly locate: (error: Error) => Location | null;
}

export interface RunOptions {
  /** Choices to make, in order; after the last one the first alternative is taken. */
  readonly choices?: readonly number[];
  /** Record calls, results and lock operations for a trace. */
  readonly trace?: boolean;
  /** Run on code that has come to the control state already, if there is some, and not fresh code by the first way there. */
  readonly parked?: boolean;
  /** Run on other code than this, which has come to the control state in another way if one is known. */
  readonly otherThan?: CodeOfBlock;
}

/** Code that has run a block, and how it had come there: null if that is the start. */
export interface CodeOfBlock {
  readonly cameBy: Witness | null;
  /** Only to tell it from other code; null for code that is nowhere any more. */
  readonly code: object | null;
}
