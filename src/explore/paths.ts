/** Paths of blocks that have been learned, as those remember them who work something out of all of them. */
import type { BlockRun } from "../step/block.js";
import type { Control } from "../step/control.js";

/** What is wanted of a run of a block; of the code that has run nothing is to be kept. */
export type PathBlock = Pick<
  BlockRun,
  "outcome" | "decisions" | "writes" | "accesses" | "stored" | "acquisitions" | "reports" | "fault" | "atomicBecause" | "next"
>;

/** A path of a block out of a control state. */
export interface TakenPath {
  readonly control: Control;
  readonly block: PathBlock;
}

export function pathTaken(control: Control, run: BlockRun): TakenPath {
  const { outcome, decisions, writes, accesses, stored, acquisitions, reports, fault, atomicBecause, next } = run;
  return { control, block: { outcome, decisions, writes, accesses, stored, acquisitions, reports, fault, atomicBecause, next } };
}
