/**
 * Code that has come to a control state and waits there to be run on. To lead fresh code to where a thread is in the
 * midst of its work takes as many blocks as it has done; code that has just arrived is there already. Since nothing
 * crosses a yield but the control state, it makes no difference which one goes on; that this is so is checked with
 * other code, which has come there in another way if one is known.
 */
import { type Control, sameWitness, type Witness } from "./control.js";
import type { CodeOfBlock } from "./environment.js";
import type { Run } from "./run.js";

/** Kept at a control state: more would hold memory and hardly be asked for. */
const MOST = 8;

export class ParkedRuns {
  readonly #runs = new Map<Control, Run[]>();

  park(control: Control, run: Run): void {
    const runs = this.#runs.get(control);
    if (runs === undefined) this.#runs.set(control, [run]);
    else if (runs.length < MOST) runs.push(run);
  }

  /** One that is at the control state, if there is one. Other code than some has come in another way, if there is one. */
  take(control: Control, otherThan?: CodeOfBlock): Run | undefined {
    const runs = this.#runs.get(control);
    if (runs === undefined || otherThan === undefined) return runs?.pop();
    const cameOtherwise = runs.findIndex((run) => cameInAnotherWay(run.cameBy, otherThan));
    const position = cameOtherwise >= 0 ? cameOtherwise : runs.findIndex((run) => control.secondWitness === null && run !== otherThan.code);
    return position < 0 ? undefined : runs.splice(position, 1)[0];
  }
}

function cameInAnotherWay(cameBy: Witness | null, otherThan: CodeOfBlock): boolean {
  return cameBy !== null && otherThan.cameBy !== null && !sameWitness(cameBy, otherThan.cameBy);
}
