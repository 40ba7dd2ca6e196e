/** The fast engine: runs that begin again when they turn out to have begun with too little, or with too much. */
import { ModelError } from "../lang/errors.js";
import type { Cell } from "../state/layout.js";
import type { Machine } from "../step/machine.js";
import { FastRun, MostlyConstant } from "./fast-run.js";
import { ConstantWritten, Learner, TooManyControls } from "./learner.js";
import type { Exploration, ExploreOptions } from "./outcome.js";

/** Bits for a thread's control state number; tried in turn. */
const CONTROL_BITS = [9, 12, 16, 20, 24];

/** Explores every reachable state of the machine within the limits. */
export function* exploreFast(machine: Machine, options: ExploreOptions = {}): Exploration {
  const started = performance.now();
  let bits = 0;
  /** Cells that are known to change, or might; null for all. */
  let changing: ReadonlySet<number> | null = null;
  while (bits < CONTROL_BITS.length) {
    const learner: Learner = new Learner(machine, CONTROL_BITS[bits] as number, changing);
    try {
      return yield* new FastRun(machine, options, learner, started).explore();
    } catch (error) {
      if (error instanceof TooManyControls) bits++;
      else if (error instanceof MostlyConstant || error instanceof ConstantWritten) {
        changing = sameFields(machine, [...(changing ?? []), ...learner.written]);
      } else throw error;
    }
  }
  throw new ModelError("a thread has more than 16 million control states", "Keep fewer values in locals across yields, or bound them.");
}

/** The cells and all others of the same fields: what is written of one object is sooner or later written of another. */
function sameFields({ layout }: Machine, cells: readonly number[]): ReadonlySet<number> {
  const fieldOf = (number: number) => {
    const cell = layout.cells[number] as Cell;
    return cell.kind === "field" ? cell.field : cell.kind === "liveness" ? cell.struct : cell.kind;
  };
  const fields = new Set(cells.map(fieldOf));
  return new Set([...layout.cells.keys()].filter((number) => fields.has(fieldOf(number))));
}
