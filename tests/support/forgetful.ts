/** A machine whose blocks forget something, so that the fast engine learns less of them than it should. */
import type { State } from "../../src/state/state.js";
import { readCell } from "../../src/state/state.js";
import type { RunOptions } from "../../src/step/environment.js";
import { Machine } from "../../src/step/machine.js";
import type { NativeBlock } from "../../src/step/run.js";
import type { Loaded } from "./model.js";

/** What is forgotten of a block. */
export type Forget = (block: NativeBlock, state: State, machine: Machine) => Partial<NativeBlock>;

export class Forgetful extends Machine {
  forget: Forget = () => ({});
  override run(state: State, thread: number, options: RunOptions = {}): NativeBlock {
    const block = super.run(state, thread, options);
    return { ...block, ...this.forget?.(block, state, this) };
  }
}

/** Learns from what Immer would report as changed, instead of from what was stored. */
export const patchesOnly: Forget = ({ writes }, state, { layout }) => ({
  writes: new Map([...writes].filter(([cell, code]) => readCell(layout, state, cell) !== code)),
});

/** A machine of a suite that forgets. */
export function forgetfulMachine({ session, suite }: Loaded, forget: Forget): Forgetful {
  const machine = new Forgetful(suite.design, suite.scenario, suite.properties, {}, session.locate);
  machine.forget = forget;
  return machine;
}
