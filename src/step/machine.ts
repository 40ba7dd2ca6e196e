/** A machine: a design under a scenario, ready to be run block by block. */

import { produce } from "immer";
import type { Design } from "../lang/design.js";
import type { Location } from "../lang/errors.js";
import { ModelError } from "../lang/errors.js";
import type { Property } from "../lang/property.js";
import type { Scenario, Thread } from "../lang/scenario.js";
import type { StructInfo } from "../lang/schema.js";
import { FREE, type Layout } from "../state/layout.js";
import type { Names } from "../state/names.js";
import { allocatedObjects, reachableObjects } from "../state/reach.js";
import { type CellView, freedSlots, isReferenced, readCell, type State, type StateDraft, writeCell } from "../state/state.js";
import { type Control, ControlRegister, refersTo } from "./control.js";
import type { RunEnvironment, RunOptions } from "./environment.js";
import { instantiate } from "./instantiate.js";
import { ParkedRuns } from "./parked.js";
import type { BlockConduct } from "./provenance.js";
import { type NativeBlock, runBlock } from "./run.js";

/** Which variant of a suite is meant. */
export interface Variant {
  /** Commits taken out of the design, by abbreviated sha. */
  readonly revert?: readonly string[];
  /** Commits added to it. */
  readonly apply?: readonly string[];
  /** Fault budget instead of the scenario's. */
  readonly faults?: number;
  readonly faultPolicy?: "contract" | "any";
}

export class Machine implements RunEnvironment {
  readonly layout: Layout;
  readonly names: Names;
  readonly threads: readonly Thread[];
  readonly registers: readonly ControlRegister[];
  readonly applied: ReadonlySet<string>;
  /** Commits of which model code or a property has asked so far whether they are applied. Other sets of commits that answer alike behave alike. */
  readonly asked = new Set<string>();
  readonly faultPolicy: "contract" | "any";
  readonly faults: number;
  readonly watched: ReadonlySet<string>;
  readonly parked = new ParkedRuns();
  onConduct: ((conduct: BlockConduct) => void) | null = null;
  readonly initial: State;
  /** Whether every behaviour is expected to come to an end. */
  readonly terminates: boolean;
  /** Liveness cells of the objects that the setup makes without storing a pointer to them: it holds them itself. */
  readonly heldBySetup: ReadonlySet<number>;
  /** Why steps taken so far are coarser than the C on purpose, as they say themselves. */
  readonly atomicReasons = new Set<string>();
  /** Coverage points of the loaded files that some possible step has reached so far. A path is learned in a state in which it is taken, so nothing is missing. */
  readonly covered = new Set<number>();
  /** Blocks run natively so far. */
  nativeRuns = 0;

  constructor(
    design: Design,
    scenario: Scenario,
    readonly properties: readonly Property[],
    variant: Variant,
    readonly locate: (error: Error) => Location | null,
  ) {
    this.applied = appliedCommits(design, variant);
    this.faults = variant.faults ?? scenario.faults ?? 0;
    this.faultPolicy = variant.faultPolicy ?? "contract";
    this.terminates = scenario.terminates ?? false;
    const instance = instantiate(scenario, this.faults, locate);
    this.layout = instance.layout;
    this.names = instance.names;
    this.threads = instance.threads;
    this.registers = instance.threads.map(({ parameters }, thread) => new ControlRegister(thread, parameters));
    this.watched = new Set(properties.flatMap(({ window }) => (window.kind === "onReturn" ? [window.procedure] : [])));
    this.heldBySetup = this.#heldBySetup(instance.initial);
    this.initial = this.#atFirstYields(instance.initial);
  }

  #heldBySetup(state: State): ReadonlySet<number> {
    const read = (cell: number) => readCell(this.layout, state, cell);
    const reached = reachableObjects(this.layout, read, []);
    return new Set(allocatedObjects(this.layout, read).flatMap(({ cell }) => (reached.has(cell) ? [] : [cell])));
  }

  /**
   * A thread whose code before its first yield touches nothing begins at that yield: that it has not begun
   * cannot be told from outside, and would only double the states of a procedure that starts with its loop.
   */
  #atFirstYields(state: State): State {
    return this.threads.reduce((reached, _, thread) => {
      const block = this.run(reached, thread);
      const touchesNothing =
        block.outcome === "step" && block.decisions.length === 0 && block.writes.size === 0 && block.reports.length === 0;
      const isPassedUnseen = block.next?.kind !== "finished" && block.next?.kind !== "return";
      return touchesNothing && isPassedUnseen ? (block.state as State) : reached;
    }, state);
  }

  /** The control state a thread is in. */
  control(state: State | CellView, thread: number): Control {
    return this.registers[thread]?.controls[state.threads[thread] as number] as Control;
  }

  /** Runs the thread's block once, with the given choices. */
  run(state: State | CellView, thread: number, options: RunOptions = {}): NativeBlock {
    this.nativeRuns++;
    const block = runBlock(this, this.control(state, thread), state, options);
    if (block.atomicBecause !== null) this.atomicReasons.add(block.atomicBecause);
    // A step that turns out not to be possible exercises nothing.
    if (block.outcome !== "blocked") for (const point of block.covered) this.covered.add(point);
    return block;
  }

  /** Runs the block of the control state once where nobody knows whether the thread comes there with it: what that exercises does not count. */
  runApart(control: Control, state: CellView, choices: readonly number[]): NativeBlock {
    this.nativeRuns++;
    return runBlock(this, control, state, { choices, parked: true });
  }

  /** All ways the thread's block can go in the state, in canonical order (choices lexicographically); those that are not possible left out. */
  *blocks(state: State, thread: number, options: RunOptions = {}): Generator<NativeBlock> {
    let choices: number[] | null = [];
    while (choices !== null) {
      const block: NativeBlock = this.run(state, thread, { ...options, choices });
      if (block.outcome !== "blocked") yield block;
      choices = nextChoices(block);
    }
  }

  /** Whether a local of some thread refers to the slot. */
  isInLocal(state: State, struct: StructInfo, slot: number): boolean {
    return this.threads.some((_, thread) => refersTo(this.control(state, thread), struct, slot));
  }

  /**
   * The state with freed slots turned into free ones where neither the state nor a local refers to them, so
   * that states which cannot differ do not differ. Done after every step.
   */
  normalise(state: State): State {
    const { layout } = this;
    const read = (cell: number) => readCell(layout, state, cell);
    const forgotten = freedSlots(layout, read).filter(
      ({ struct, slot }) => !isReferenced(layout, read, struct, slot) && !this.isInLocal(state, struct, slot),
    );
    if (forgotten.length === 0) return state;
    return produce(state, (draft) => {
      for (const { cell } of forgotten) writeCell(layout, draft as StateDraft, cell, FREE);
    });
  }
}

/** The choices to make next in a depth-first walk over a block's alternatives, or null after the last. */
function nextChoices(block: NativeBlock): number[] | null {
  const made = block.decisions.flatMap((decision) => (decision.kind === "choice" && decision.labels.length > 0 ? [decision] : []));
  for (let position = made.length - 1; position >= 0; position--) {
    const decision = made[position] as (typeof made)[number];
    if (decision.taken + 1 < decision.labels.length) return [...made.slice(0, position).map(({ taken }) => taken), decision.taken + 1];
  }
  return null;
}

/** The changes to the design that make its commits the set. */
export function variantTo({ includes }: Design, applied: ReadonlySet<string>): Required<Pick<Variant, "revert" | "apply">> {
  const before = new Set(includes);
  return { revert: includes.filter((sha) => !applied.has(sha)), apply: [...applied].filter((sha) => !before.has(sha)) };
}

/** The commits of a design's variant. Throws a ModelError if one is unknown, is there already, is missing what it needs, or is to go and to come. */
export function appliedCommits(design: Design, variant: Variant): ReadonlySet<string> {
  const applied = new Set(design.includes);
  const reverted = new Set<string>();
  for (const sha of variant.revert ?? []) {
    const known = resolveCommit(design, sha);
    if (!applied.delete(known))
      throw new ModelError(
        `--revert ${sha}: ${design.name} does not include it`,
        "Only a commit of the design can be reverted; see `iommu-mc list`.",
      );
    reverted.add(known);
  }
  for (const sha of variant.apply ?? []) {
    const known = resolveCommit(design, sha);
    if (reverted.has(known)) throw new ModelError(`${known} is to be reverted and applied`, "Say one of the two.");
    if (design.added?.includes(known)) continue;
    if (applied.has(known))
      throw new ModelError(
        `--apply ${sha}: ${design.name} includes it already`,
        "Only a commit that is missing can be applied; see `iommu-mc list`.",
      );
    applied.add(known);
  }
  const lacking = lackingIn(design, applied);
  if (lacking !== null) {
    const { sha, needs } = lacking;
    throw new ModelError(
      `${sha} (${design.commits[sha]?.subject}) needs ${needs} (${design.commits[needs]?.subject})`,
      `Apply ${needs} too, or revert ${sha} with it.`,
    );
  }
  return applied;
}

/** A commit of the set that needs another, which is not there; null if there is none, and the set makes sense. */
export function lackingIn({ commits }: Pick<Design, "commits">, applied: ReadonlySet<string>): { sha: string; needs: string } | null {
  for (const sha of applied) {
    const needs = commits[sha]?.needs?.find((needed) => !applied.has(needed));
    if (needs !== undefined) return { sha, needs };
  }
  return null;
}

/** The commit as the design calls it: a user may abbreviate. Throws a ModelError if it knows none, or several. */
export function resolveCommit(design: Design, sha: string): string {
  const matching = Object.keys(design.commits).filter((known) => known.startsWith(sha) || sha.startsWith(known));
  if (matching.length === 1) return matching[0] as string;
  const known = Object.entries(design.commits).map(([known, commit]) => `  ${known} ${commit.subject}`);
  throw new ModelError(
    matching.length === 0 ? `the model of ${design.name} knows no commit ${sha}` : `${sha} is ambiguous: ${matching.join(", ")}`,
    `It knows these:\n${known.join("\n")}`,
  );
}
