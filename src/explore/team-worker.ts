/** A thread that expands states beside the main one, by a core of its own over the same memory. */
import { workerData } from "node:worker_threads";
import { COMMON, newCore, OWN } from "./core.js";
import { TeamControl } from "./team-control.js";

/** What it is told when it is started. */
export interface MemberData {
  readonly member: number;
  readonly shared: WebAssembly.Memory;
  readonly compiled: WebAssembly.Module;
  /** Where the control numbers are, and how many. */
  readonly control: readonly [address: number, length: number];
}

const { member, shared, compiled, control: where } = workerData as MemberData;
const control = new TeamControl(new Int32Array(shared.buffer, ...where));
// It commits nothing, and what it finds in a state is judged by who does.
const core = newCore({ shared }, { judgeRest: () => {} }, compiled);
control.setBusy(member, false);
try {
  for (let stretch = control.awaitStretch(0); stretch !== null; stretch = control.awaitStretch(stretch)) {
    control.setBusy(member, true);
    // Who closes a stretch looks afterwards whether somebody is busy.
    if (control.isOpen(stretch)) takeBlocks(stretch);
    control.setBusy(member, false);
  }
} finally {
  control.leave(member);
}

function takeBlocks(stretch: number): void {
  for (const [at, value] of control.common.entries()) core[COMMON[at] as (typeof COMMON)[number]].value = value;
  for (const [at, value] of control.ownOf(member).entries()) core[OWN[at] as (typeof OWN)[number]].value = value;
  while (control.isOpen(stretch)) {
    const block = control.take();
    if (block === null) {
      if (control.awaitBuffer(stretch)) continue;
      return;
    }
    control.work(block, core);
    control.countBlock(member);
  }
}
