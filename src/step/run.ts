/**
 * Runs one block natively. A fresh generator is led silently to the control state by its witness (every value
 * it read is fed back to it), or one is taken that an earlier block has left there; then the block is run on the
 * state through recording views.
 */
import { enablePatches, type Patch, produceWithPatches } from "immer";
import { within } from "../lang/context.js";
import { type Location, ModelError } from "../lang/errors.js";
import { callOf, type OperationCall } from "../lang/operations.js";
import { Wait } from "../lang/procedure.js";
import type { Local, ProcedureInfo, Site } from "../lang/runtime.js";
import type { Thread } from "../lang/scenario.js";
import type { Layout } from "../state/layout.js";
import { type CellView, type State, type StateDraft, writeCell } from "../state/state.js";
import type { BlockRun, Report } from "./block.js";
import {
  type Control,
  type ControlDescription,
  type ControlRegister,
  copyLocal,
  type Frame,
  keyOf,
  sameWitness,
  type Witness,
} from "./control.js";
import type { CodeOfBlock, RunEnvironment, RunOptions } from "./environment.js";
import { Blocked, reportOf } from "./fault.js";
import { Provenance } from "./provenance.js";
import { Recorder } from "./recorder.js";

enablePatches();

export interface NativeBlock extends BlockRun, CodeOfBlock {
  /** Choices made, in order. */
  readonly choices: readonly number[];
  /** Coverage points reached. */
  readonly covered: ReadonlySet<number>;
  /** Immer's patches from the state before to the state after: for showing, never for learning. */
  readonly patches: readonly Patch[];
}

/** Iterations of a loop without a yield after which a block is taken to be endless. */
const LONGEST_BLOCK_ITERATIONS = 100_000;

let active: Run | null = null;

/** The run in progress; instrumented code calls back into it. */
export function activeRun(): Run {
  if (active === null) throw new Error("a procedure runs outside the checker; start it as a thread of a scenario");
  return active;
}

/** Whether a step is being run, as opposed to a setup or a property. */
export function isRunning(): boolean {
  return active !== null;
}

/** Runs the block of `control` in `state`. Throws a ModelError if the model does what a model may not do. */
export function runBlock(environment: RunEnvironment, control: Control, state: State | CellView, options: RunOptions = {}): NativeBlock {
  const run = (options.parked ? environment.parked.take(control, options.otherThan) : undefined) ?? new Run(environment, control.thread);
  const outer = active;
  active = run;
  try {
    return run.execute(control, state, options);
  } finally {
    active = outer;
  }
}

/** Where the thread rests between two blocks. */
interface Pending {
  readonly kind: Control["kind"];
  readonly frames: readonly Frame[];
  readonly wait: Wait | null;
  readonly returned: Control["returned"];
  readonly live: readonly Local[];
}

interface OpenCall {
  readonly site: Site;
  readonly live: readonly Local[];
  /** The driver's operation that is called, if it is one. */
  readonly operation: OperationCall | null;
  entered: { readonly procedure: ProcedureInfo; readonly parameters: readonly Local[] } | null;
}

/** The state after a block, made when somebody asks for it: who learns a rule does not. */
class After {
  #made: readonly [State, readonly Patch[]] | null = null;

  constructor(
    readonly layout: Layout,
    readonly before: State | CellView,
    readonly writes: ReadonlyMap<number, number>,
    readonly next: Control,
  ) {}

  get state(): State {
    return this.#make()[0];
  }

  get patches(): readonly Patch[] {
    return this.#make()[1];
  }

  #make(): readonly [State, readonly Patch[]] {
    if (this.#made !== null) return this.#made;
    const before = "whole" in this.before ? this.before.whole() : this.before;
    const [state, patches] = produceWithPatches(before, (draft) => {
      const changing = draft as unknown as StateDraft;
      for (const [cell, code] of this.writes) writeCell(this.layout, changing, cell, code);
      changing.threads[this.next.thread] = this.next.number;
    });
    this.#made = [state, patches];
    return this.#made;
  }
}

/** A thread's code on its way: it can run one block after the other, each on a state of its own. */
export class Run {
  /** The context that the block's code acts on. */
  recorder: Recorder;
  /** Coverage points reached by the block. */
  covered: Set<number> = new Set();

  /** How it came to where it is; null at the start. */
  #arrival: Witness | null = null;
  #generator: Generator<unknown, unknown, void> | null = null;
  #pending: Pending = { kind: "start", frames: [], wait: null, returned: null, live: [] };
  #restored: readonly Local[] = [];
  readonly #calls: OpenCall[] = [];
  #root: OpenCall["entered"] = null;
  #rootReturned = false;
  #iterations = 0;
  /** Whether code of the block has run. */
  #hasMoved = false;

  constructor(
    readonly environment: RunEnvironment,
    readonly thread: number,
  ) {
    this.recorder = new Recorder(environment, thread, null, {});
  }

  /** How it came to where it is; null at the start. */
  get cameBy(): Witness | null {
    return this.#arrival;
  }

  /** Runs the block of the control state, going there first if it is not there yet. */
  execute(control: Control, state: State | CellView, options: RunOptions): NativeBlock {
    if (this.#arrival === null) this.#goTo(control, options.otherThan?.cameBy ?? null);
    this.recorder = this.recorder.forNextBlock(state, options);
    this.recorder.procedures = () => this.#procedures();
    if (this.environment.onConduct !== null) {
      this.recorder.provenance = new Provenance(
        control,
        this.#calls.map(({ operation }) => operation),
      );
    }
    return within(this.recorder, () => this.#executeHere(control, state));
  }

  #goTo(control: Control, otherThan: Witness | null): void {
    const isOther = otherThan === null || control.witness === null || !sameWitness(control.witness, otherThan);
    const arrival = isOther ? control.witness : (control.secondWitness ?? control.witness);
    within(this.recorder, () => {
      for (const witness of witnessesTo(arrival)) this.#replayBlock(witness);
    });
    if (keyOf(this.#describePending()) !== control.key) throw this.#nondeterministic();
    this.#arrival = arrival;
  }

  #executeHere(control: Control, state: State | CellView): NativeBlock {
    const { recorder } = this;
    const cameBy = this.#arrival;
    this.covered = new Set();
    this.#hasMoved = false;
    let outcome: BlockRun["outcome"] = "step";
    let fault: Report | null = null;
    try {
      this.#resume();
    } catch (error) {
      if (error instanceof Blocked) outcome = "blocked";
      else {
        outcome = "fault";
        fault = reportOf(error, this.environment.locate, recorder.missed);
        recorder.event({ kind: "report", report: fault, depth: this.#calls.length });
      }
    }
    const next = outcome === "step" ? this.#nextControl(control) : null;
    if (next !== null) this.environment.parked.park(next, this);
    else if (!this.#hasMoved) this.environment.parked.park(control, this);
    if (outcome !== "blocked") this.#tellConduct(control, next, fault);
    const after = next === null ? null : new After(this.environment.layout, state, recorder.writes, next);
    return {
      outcome,
      decisions: recorder.decisions,
      writes: recorder.writes,
      accesses: recorder.accesses,
      stored: recorder.stored,
      acquisitions: recorder.acquisitions,
      reports: outcome === "blocked" ? [] : recorder.reports,
      observed: recorder.observed,
      freed: recorder.freed,
      fault,
      atomicBecause: recorder.atomicBecause,
      events: recorder.events,
      next,
      get state() {
        return after === null ? null : after.state;
      },
      choices: recorder.choices,
      cameBy,
      code: this,
      covered: this.covered,
      get patches() {
        return after === null ? [] : after.patches;
      },
    };
  }

  #tellConduct(control: Control, next: Control | null, fault: Report | null): void {
    const { missed, provenance } = this.recorder;
    if (provenance === null || (missed.length === 0 && provenance.conducts.length === 0)) return;
    const missing = missed.map((each) => ({ ...each, isCalled: fault?.missing === each }));
    this.environment.onConduct?.({ control, next, conducts: provenance.conducts, missing });
  }

  /** Names of those that are running, outermost first. */
  #procedures(): readonly string[] {
    return [this.#root, ...this.#calls.map(({ entered }) => entered)].flatMap((entered) => entered?.procedure.name ?? []);
  }

  #nextControl(from: Control): Control {
    const register = this.environment.registers[this.thread] as ControlRegister;
    this.#arrival = { from, reads: this.recorder.reads, choices: this.recorder.choices };
    return register.intern(this.#describePending(), this.#arrival);
  }

  #describePending(): ControlDescription {
    const { kind, frames, wait, returned } = this.#pending;
    const mutex = wait?.mutex ?? null;
    const mutexCell = mutex ? this.environment.layout.cell(mutex.$view, mutex.$field, 0) : -1;
    return { kind, frames, mutex, mutexCell, returned, root: this.#keptOfRoot(), heldByRoot: this.recorder.heldByRoot };
  }

  /** Arguments of the thread's own procedure that something may still ask for, whatever its locals are. */
  #keptOfRoot(): readonly Local[] {
    const { kind } = this.#pending;
    if (kind === "start") return this.environment.threads[this.thread]?.parameters ?? [];
    const isWatched = kind !== "finished" && this.#root !== null && this.environment.watched.has(this.#root.procedure.name);
    return isWatched ? (this.#root?.parameters ?? []) : [];
  }

  #replayBlock(witness: Witness): void {
    try {
      this.recorder.replaying(witness, () => this.#resume());
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw this.#nondeterministic();
    }
  }

  #nondeterministic(): ModelError {
    const site = this.#pending.frames.at(-1)?.site;
    return new ModelError(
      `nondeterministic model code: run again from the same state, thread ${this.recorder.threadName()} does something else`,
      "A block's behaviour must follow from the state it reads and the choices it makes: look for data kept outside the state.",
      site?.location ?? this.#root?.procedure.location,
    );
  }

  /** One block: the wait, then the code up to the next yield. */
  #resume(): void {
    this.#iterations = 0;
    const { wait, kind, live } = this.#pending;
    if (kind === "finished") throw new Blocked();
    if (kind === "return" && this.#rootReturned) {
      this.#hasMoved = true;
      this.#pending = { kind: "finished", frames: [], wait: null, returned: null, live: [] };
      return;
    }
    if (wait !== null) this.#waitFor(wait);
    this.#hasMoved = true;
    this.#restored = live;
    this.#generator ??= this.#begin();
    const { done, value } = this.#generator.next();
    if (!done) return;
    this.recorder.heldByRoot = 0;
    this.#checkNothingElseHeld(this.#root?.procedure.name ?? "the thread");
    const root = this.#root;
    if (root && this.environment.watched.has(root.procedure.name)) {
      this.#rootReturned = true;
      const site: Site = { location: root.procedure.location, procedure: root.procedure.name, live: [] };
      const result = copyLocal(value as Local, "the result", site);
      const returned = { procedure: root.procedure.name, parameters: root.parameters, result };
      this.#pending = { kind: "return", frames: [], wait: null, returned, live: [] };
    } else this.#pending = { kind: "finished", frames: [], wait: null, returned: null, live: [] };
  }

  /** Part of the first block: default values of parameters may read the state. */
  #begin(): Generator<unknown, unknown, void> {
    const { procedure, parameters } = this.environment.threads[this.thread] as Thread;
    const generator: unknown = procedure(...(parameters as never[]));
    if (isGenerator(generator)) return generator;
    throw new ModelError(`thread ${this.recorder.threadName()} is not a procedure`, "Give thread() a generator function (function*).");
  }

  #waitFor(wait: Wait): void {
    const { recorder } = this;
    recorder.waitsAt = this.#pending.frames.at(-1)?.site.location ?? null;
    if (wait.mutex) {
      const cell = this.environment.layout.cell(wait.mutex.$view, wait.mutex.$field, 0);
      recorder.touch(wait.mutex.$view);
      const holder = recorder.readCell(cell);
      if (holder === this.thread + 1)
        recorder.fault("lockdep", `self-deadlock: ${recorder.threadName()} already holds ${this.environment.names.cell(cell)}`);
      if (holder !== 0) throw new Blocked();
    } else if (wait.guard && !wait.guard()) throw new Blocked();
    recorder.waitsAt = null;
  }

  /** What the thread's own procedure took it may still hold when a call of it returns. */
  #checkNothingElseHeld(what: string): void {
    const { recorder } = this;
    const held = recorder.readCell(this.environment.layout.heldCell(this.thread));
    if (held > recorder.heldByRoot) recorder.report("lockdep", `${what} returns while holding a mutex`);
    recorder.heldByRoot = held;
  }

  // What instrumented code calls, through the module's `$rt`.

  at(site: Site, live: readonly Local[], wait: unknown): void {
    if (wait !== undefined && !(wait instanceof Wait)) {
      throw new ModelError(
        "this yields something that is no wait",
        "Yield nothing, until(() => …) or idle(); call a procedure with yield*.",
        site.location,
      );
    }
    const copies = saved(live, site);
    this.#pending = {
      kind: wait === undefined ? "yield" : wait.kind,
      frames: [...this.#frames(), { site, live: copies, watched: null }],
      wait: wait ?? null,
      returned: null,
      live: copies,
    };
  }

  *call(site: Site, live: readonly Local[], callee: unknown): Generator<unknown, unknown, void> {
    if (callee instanceof Wait) {
      this.at(site, live, callee);
      const { mutex } = callee;
      if (!mutex) throw new ModelError("yield* of a wait that is not a mutex", "Write `yield until(…)`, without the star.", site.location);
      const { live: copies } = this.#pending;
      yield undefined;
      this.recorder.acquire(mutex.$view, mutex.$field, true);
      this.#restored = copies;
      return undefined;
    }
    if (!isGenerator(callee)) {
      throw new ModelError(
        "yield* of something that is no procedure",
        "yield* calls a procedure: a generator function, or mutex_lock.",
        site.location,
      );
    }
    const copies = saved(live, site);
    const call: OpenCall = { site, live: copies, operation: callOf(callee), entered: null };
    this.#open(call);
    const result = (yield* callee) as Local;
    this.#close();
    const { entered } = call;
    if (entered) this.recorder.event({ kind: "return", procedure: entered.procedure.name, result, depth: this.#calls.length });
    if (this.#calls.length === 0) this.#checkNothingElseHeld(entered?.procedure.name ?? "a call");
    let kept: Local = result;
    if (entered && this.environment.watched.has(entered.procedure.name)) {
      kept = copyLocal(result, "the result", site);
      const returned = { procedure: entered.procedure.name, parameters: entered.parameters, result: kept };
      this.#pending = {
        kind: "return",
        frames: [...this.#frames(), { site, live: copies, watched: null }],
        wait: null,
        returned,
        live: copies,
      };
      yield undefined;
    }
    this.#restored = copies;
    return kept;
  }

  restored(): readonly Local[] {
    return this.#restored;
  }

  enter(procedure: ProcedureInfo, parameters: readonly Local[]): void {
    const watched = this.environment.watched.has(procedure.name);
    const call = this.#calls.at(-1);
    const site: Site = { location: procedure.location, procedure: procedure.name, live: procedure.parameters };
    const entered = {
      procedure,
      parameters: watched ? parameters.map((value, position) => copyLocal(value, procedure.parameters[position] ?? "?", site)) : parameters,
    };
    if (call) call.entered ??= entered;
    else this.#root ??= entered;
    const depth = Math.max(0, this.#calls.length - 1);
    if (call) this.recorder.event({ kind: "call", procedure: procedure.name, parameters, depth, location: call.site.location });
  }

  tick(location: Location): void {
    if (++this.#iterations > LONGEST_BLOCK_ITERATIONS) {
      throw new ModelError(
        `this loop ran ${LONGEST_BLOCK_ITERATIONS} times without a yield`,
        "A block must end: put a yield into the loop, or bound it.",
        location,
      );
    }
  }

  #open(call: OpenCall): void {
    if (call.operation !== null) this.recorder.beginOperation(call.operation);
    this.#calls.push(call);
    this.recorder.depth = this.#calls.length;
  }

  #close(): void {
    if (this.#calls.pop()?.operation) this.recorder.provenance?.end();
    this.recorder.depth = this.#calls.length;
  }

  #frames(): Frame[] {
    return this.#calls.map(({ site, live, entered }) => ({
      site,
      live,
      watched:
        entered && this.environment.watched.has(entered.procedure.name)
          ? { procedure: entered.procedure.name, parameters: entered.parameters }
          : null,
    }));
  }
}

/**
 * Copies of the live locals. The originals may not change any more: an array that a caller holds over a call would
 * else have what the callee did to it natively, and not have it when it is restored.
 */
function saved(live: readonly Local[], site: Site): readonly Local[] {
  for (const value of live) freeze(value);
  return live.map((value, position) => copyLocal(value, site.live[position] ?? "?", site));
}

function freeze(value: Local): void {
  if (!Array.isArray(value) || Object.isFrozen(value)) return;
  for (const element of value) freeze(element);
  Object.freeze(value);
}

function isGenerator(value: unknown): value is Generator<unknown, unknown, void> {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

/** The witnesses that lead from the start to the end of this one's block. */
function witnessesTo(arrival: Witness | null): Witness[] {
  const chain: Witness[] = [];
  let witness = arrival;
  while (witness !== null) {
    chain.push(witness);
    witness = witness.from.witness;
  }
  return chain.reverse();
}
