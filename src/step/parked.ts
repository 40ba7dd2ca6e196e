/**
 * Code that has come to a control state and waits there to be run on. To lead fresh code to where a thread is in the
 * midst of its work takes as many blocks as it has done; code that has just arrived is there already. Since nothing
 * crosses a yield but the control state, it makes no difference which one goes on; that this is so is checked with
 * fresh code.
 */
import type { Control } from "./control.js";
import type { Run } from "./run.js";

/** Kept at a control state: more would hold memory and hardly be asked for. */
const MOST = 4;

export class ParkedRuns {
  readonly #runs = new Map<Control, Run[]>();

  park(control: Control, run: Run): void {
    const runs = this.#runs.get(control);
    if (runs === undefined) this.#runs.set(control, [run]);
    else if (runs.length < MOST) runs.push(run);
  }

  /** One that is at the control state, if there is one. */
  take(control: Control): Run | undefined {
    return this.#runs.get(control)?.pop();
  }
}
