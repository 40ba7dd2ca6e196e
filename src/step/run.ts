/**
 * Runs one block natively. A fresh generator is led silently to the control state by its witness (every value
 * it read is fed back to it), then the block is run on the state through recording views.
 */
import { enablePatches, type Patch, produce, produceWithPatches } from "immer";
import { type CheckName, type Context, within } from "../lang/context.js";
import { type Location, ModelError } from "../lang/errors.js";
import { Wait } from "../lang/procedure.js";
import type { Local, ProcedureInfo, Site } from "../lang/runtime.js";
import type { Thread } from "../lang/scenario.js";
import { FieldHandle, type FieldInfo, type StructInfo, StructView } from "../lang/schema.js";
import { FREED, type Layout, LIVE } from "../state/layout.js";
import type { Names } from "../state/names.js";
import { readCell, type State, type StateDraft, writeCell } from "../state/state.js";
import type { Access, Acquisition, BlockEvent, BlockRun, Decision, Report } from "./block.js";
import { type Control, type ControlDescription, type ControlRegister, copyLocal, type Frame, keyOf, type Witness } from "./control.js";

enablePatches();

/** What a run needs to know of its machine. */
export interface RunEnvironment {
  readonly layout: Layout;
  readonly names: Names;
  readonly threads: readonly Thread[];
  readonly registers: readonly ControlRegister[];
  readonly applied: ReadonlySet<string>;
  readonly faultPolicy: "contract" | "any";
  /** Procedures whose return some property watches. */
  readonly watched: ReadonlySet<string>;
  /** First place in model source on an error's stack. */
  readonly locate: (error: Error) => Location | null;
}

export interface RunOptions {
  /** Choices to make, in order; after the last one the first alternative is taken. */
  readonly choices?: readonly number[];
  /** Record calls, results and lock operations for a trace. */
  readonly trace?: boolean;
  /** Use the control state's second witness. */
  readonly secondWitness?: boolean;
}

export interface NativeBlock extends BlockRun {
  /** Choices made, in order. */
  readonly choices: readonly number[];
  /** Immer's patches from the state before to the state after: for showing, never for learning. */
  readonly patches: readonly Patch[];
}

/** Ends a block in a finding. */
class Fault extends Error {
  constructor(readonly report: Report) {
    super(report.message);
  }
}

/** Ends a block that is not possible in this state. */
class Blocked extends Error {}

/** Iterations of a loop without a yield after which a block is taken to be endless. */
const LONGEST_BLOCK_ITERATIONS = 100_000;

let active: Run | null = null;

/** The run in progress; instrumented code calls back into it. */
export function activeRun(): Run {
  if (active === null) throw new Error("a procedure runs outside the checker; start it as a thread of a scenario");
  return active;
}

/** Runs the block of `control` in `state`. Throws a ModelError if the model does what a model may not do. */
export function runBlock(environment: RunEnvironment, control: Control, state: State, options: RunOptions = {}): NativeBlock {
  const run = new Run(environment, control, state, options);
  const outer = active;
  active = run;
  try {
    return within(run, () => run.execute());
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
  entered: { readonly procedure: ProcedureInfo; readonly parameters: readonly Local[] } | null;
}

export class Run implements Context {
  readonly isStep = true;
  readonly thread: number;
  readonly faultPolicy: "contract" | "any";

  readonly #generator: Generator<unknown, unknown, void>;
  #pending: Pending = { kind: "start", frames: [], wait: null, returned: null, live: [] };
  #restored: readonly Local[] = [];
  readonly #calls: OpenCall[] = [];
  #root: OpenCall["entered"] = null;
  #rootReturned = false;

  /** Replaying a witness, values come from here and nothing is recorded. */
  #replay: Witness | null = null;
  #nextRead = 0;
  #nextChoice = 0;

  readonly #reads: number[] = [];
  readonly #seen = new Set<number>();
  readonly #writes = new Map<number, number>();
  readonly #decisions: Decision[] = [];
  readonly #choices: number[] = [];
  readonly #accesses: Access[] = [];
  /** Fields stored to while others could see them, by first cell. */
  readonly #stored = new Set<number>();
  /** Objects allocated by this block: nobody else can see them before it ends. */
  readonly #fresh = new Set<StructView>();
  readonly #acquisitions: Acquisition[] = [];
  readonly #taken: number[] = [];
  readonly #givenBack: number[] = [];
  readonly #reports: Report[] = [];
  readonly #events: BlockEvent[] = [];
  #atomicBecause: string | null = null;
  #oneAccess = 0;
  #raceAllowed = 0;
  #iterations = 0;
  /** Site of the wait that is being tried; no model code is on the stack then. */
  #waitsAt: Location | null = null;

  constructor(
    readonly environment: RunEnvironment,
    readonly control: Control,
    readonly state: State,
    readonly options: RunOptions,
  ) {
    this.thread = control.thread;
    this.faultPolicy = environment.faultPolicy;
    const { procedure, parameters } = environment.threads[control.thread] as Thread;
    this.#generator = (procedure as (...parameters: readonly Local[]) => Generator<unknown, unknown, void>)(...parameters);
    if (typeof this.#generator?.next !== "function") {
      throw new ModelError(`thread ${this.#threadName()} is not a procedure`, "Give thread() a generator function (function*).");
    }
  }

  execute(): NativeBlock {
    for (const witness of witnessesTo(this.control, this.options.secondWitness === true)) this.#replayBlock(witness);
    if (keyOf(this.#describePending()) !== this.control.key) throw this.#nondeterministic();
    let outcome: BlockRun["outcome"] = "step";
    let fault: Report | null = null;
    try {
      this.#resume();
    } catch (error) {
      if (error instanceof Blocked) outcome = "blocked";
      else {
        outcome = "fault";
        fault = error instanceof Fault ? error.report : this.#reportOf(error);
        this.#event({ kind: "report", report: fault, depth: this.#calls.length });
      }
    }
    const next = outcome === "step" ? this.#nextControl() : null;
    const [state, patches] = next === null ? [null, []] : this.#apply(next);
    return {
      outcome,
      decisions: this.#decisions,
      writes: this.#writes,
      accesses: this.#accesses,
      stored: this.#stored,
      acquisitions: this.#acquisitions,
      reports: outcome === "blocked" ? [] : this.#reports,
      fault,
      atomicBecause: this.#atomicBecause,
      events: this.#events,
      next,
      state,
      choices: this.#choices,
      patches,
    };
  }

  #apply(next: Control): [State, readonly Patch[]] {
    const recipe = (draft: unknown) => {
      const changing = draft as StateDraft;
      for (const [cell, code] of this.#writes) writeCell(this.environment.layout, changing, cell, code);
      changing.threads[this.thread] = next.number;
    };
    if (!this.options.trace) return [produce(this.state, recipe), []];
    const [state, patches] = produceWithPatches(this.state, recipe);
    return [state, patches];
  }

  #nextControl(): Control {
    const register = this.environment.registers[this.thread] as ControlRegister;
    return register.intern(this.#describePending(), { from: this.control, reads: this.#reads, choices: this.#choices });
  }

  #describePending(): ControlDescription {
    const { kind, frames, wait, returned } = this.#pending;
    const mutex = wait?.mutex ?? null;
    const mutexCell = mutex ? this.environment.layout.cell(mutex.$view, mutex.$field, 0) : -1;
    return { kind, frames, mutex, mutexCell, returned };
  }

  #replayBlock(witness: Witness): void {
    this.#replay = witness;
    this.#nextRead = 0;
    this.#nextChoice = 0;
    try {
      this.#resume();
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw this.#nondeterministic();
    } finally {
      this.#replay = null;
    }
    if (this.#nextRead !== witness.reads.length || this.#nextChoice !== witness.choices.length) throw this.#nondeterministic();
    this.#oneAccess = 0;
    this.#raceAllowed = 0;
    // What an earlier block allocated has been there for others to see since that block ended.
    this.#fresh.clear();
  }

  #nondeterministic(): ModelError {
    const site = this.#pending.frames.at(-1)?.site;
    return new ModelError(
      `nondeterministic model code: run again from the same state, thread ${this.#threadName()} does something else`,
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
      this.#pending = { kind: "finished", frames: [], wait: null, returned: null, live: [] };
      return;
    }
    if (wait !== null) this.#waitFor(wait);
    this.#restored = live;
    const { done, value } = this.#generator.next();
    if (!done) return;
    this.#checkNothingHeld(this.#root?.procedure.name ?? "the thread");
    const root = this.#root;
    if (root && this.environment.watched.has(root.procedure.name)) {
      this.#rootReturned = true;
      const returned = { procedure: root.procedure.name, parameters: root.parameters, result: value as Local };
      this.#pending = { kind: "return", frames: [], wait: null, returned, live: [] };
    } else this.#pending = { kind: "finished", frames: [], wait: null, returned: null, live: [] };
  }

  #waitFor(wait: Wait): void {
    this.#waitsAt = this.#pending.frames.at(-1)?.site.location ?? null;
    if (wait.mutex) {
      const cell = this.environment.layout.cell(wait.mutex.$view, wait.mutex.$field, 0);
      this.touch(wait.mutex.$view);
      const holder = this.#readCell(cell);
      if (holder === this.thread + 1)
        this.fault("lockdep", `self-deadlock: ${this.#threadName()} already holds ${this.environment.names.cell(cell)}`);
      if (holder !== 0) throw new Blocked();
    } else if (wait.guard && !wait.guard()) throw new Blocked();
    this.#waitsAt = null;
  }

  #checkNothingHeld(what: string): void {
    if (this.#readCell(this.environment.layout.heldCell(this.thread)) !== 0)
      this.report("lockdep", `${what} returns while holding a mutex`);
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
    const copies = live.map((value, position) => copyLocal(value, site.live[position] ?? "?", site));
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
      this.acquire(mutex.$view, mutex.$field);
      this.#restored = copies;
      return undefined;
    }
    if (typeof (callee as Generator | null)?.[Symbol.iterator] !== "function") {
      throw new ModelError(
        "yield* of something that is no procedure",
        "yield* calls a procedure: a generator function, or mutex_lock.",
        site.location,
      );
    }
    const copies = live.map((value, position) => copyLocal(value, site.live[position] ?? "?", site));
    const call: OpenCall = { site, live: copies, entered: null };
    this.#calls.push(call);
    const result = (yield* callee as Generator<unknown, unknown, void>) as Local;
    this.#calls.pop();
    const { entered } = call;
    if (entered) this.#event({ kind: "return", procedure: entered.procedure.name, result, depth: this.#calls.length });
    if (this.#calls.length === 0) this.#checkNothingHeld(entered?.procedure.name ?? "a call");
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
    if (call) this.#event({ kind: "call", procedure: procedure.name, parameters, depth, location: call.site.location });
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

  // The context that views and primitives act on.

  read(view: StructView, field: FieldInfo, offset: number): number {
    this.touch(view);
    const first = this.environment.layout.fieldCell(field, view.$index);
    this.#access(view, field, first);
    return this.#readCell(first + offset);
  }

  write(view: StructView, field: FieldInfo, offset: number, code: number): void {
    this.touch(view);
    const first = this.environment.layout.fieldCell(field, view.$index);
    this.#access(view, field, first);
    if (!this.#fresh.has(view)) this.#stored.add(first);
    this.#writeCell(first + offset, code);
  }

  touch(view: StructView): void {
    const cell = this.environment.layout.livenessCell(view.$struct, view.$index);
    if (cell >= 0 && this.#readCell(cell) !== LIVE)
      this.fault("use-after-free", `${this.environment.names.view(view)} is used after it was freed`);
  }

  slots(struct: StructInfo): number {
    return this.environment.layout.slots(struct);
  }

  allocate(struct: StructInfo): StructView {
    const { layout } = this.environment;
    if (layout.livenessCell(struct, 0) < 0) throw this.#notDynamic(struct, "kzalloc");
    for (let slot = 0; slot < layout.slots(struct); slot++) {
      const cell = layout.livenessCell(struct, slot);
      if (this.#readCell(cell) === 0) {
        this.#writeCell(cell, LIVE);
        this.#fresh.add(struct.view(slot));
        this.#event({ kind: "allocate", cell, depth: this.#calls.length });
        return struct.view(slot);
      }
    }
    throw new Fault({
      check: "model-fault",
      message: `the pool of ${struct.name} is exhausted`,
      location: this.#here(),
      exhausted: struct.number,
    });
  }

  free(view: StructView): void {
    const { layout, names } = this.environment;
    const cell = layout.livenessCell(view.$struct, view.$index);
    if (cell < 0) throw this.#notDynamic(view.$struct, "kfree");
    if (this.#readCell(cell) !== LIVE) this.fault("double-free", `${names.view(view)} is freed again`);
    for (const field of view.$struct.fields) {
      if (field.spec.kind === "mutex" && this.#readCell(layout.fieldCell(field, view.$index)) !== 0) {
        this.fault("lockdep", `${names.view(view)} is freed while ${names.cell(layout.fieldCell(field, view.$index))} is held`);
      }
    }
    this.#writeCell(cell, FREED);
    // A freed object's fields are cleared, so that states which cannot differ do not differ.
    const first = layout.fieldCell(view.$struct.fields[0] as FieldInfo, view.$index);
    for (let offset = 0; offset < layout.stride(view.$struct); offset++) this.#writeCell(first + offset, 0);
    this.#event({ kind: "free", cell, depth: this.#calls.length });
  }

  isFreed(): boolean {
    throw new ModelError("isFreed() is asked by model code", "Only properties may ask it; the C cannot.", this.#here() ?? undefined);
  }

  acquire(view: StructView, field: FieldInfo): void {
    const { layout } = this.environment;
    const cell = layout.fieldCell(field, view.$index);
    this.#writeCell(cell, this.thread + 1);
    const held = layout.heldCell(this.thread);
    this.#writeCell(held, this.#readCell(held) + 1);
    if (this.#replay) return;
    this.#acquisitions.push({ cell, alsoTaken: [...this.#taken], givenBack: [...this.#givenBack], location: this.#here() });
    this.#taken.push(cell);
    this.#accesses.push({ kind: "acquire", cell, guarded: true });
    this.#event({ kind: "lock", cell, depth: this.#calls.length });
  }

  release(view: StructView, field: FieldInfo): void {
    const { layout, names } = this.environment;
    this.touch(view);
    const cell = layout.fieldCell(field, view.$index);
    const holder = this.#readCell(cell);
    if (holder !== this.thread + 1) {
      this.fault(
        "lockdep",
        `${this.#threadName()} unlocks ${names.cell(cell)}, which ${holder === 0 ? "is free" : "another thread holds"}`,
      );
    }
    this.#writeCell(cell, 0);
    const held = layout.heldCell(this.thread);
    this.#writeCell(held, this.#readCell(held) - 1);
    if (this.#replay) return;
    const position = this.#taken.indexOf(cell);
    if (position >= 0) this.#taken.splice(position, 1);
    else this.#givenBack.push(cell);
    this.#accesses.push({ kind: "release", cell, guarded: true });
    this.#event({ kind: "unlock", cell, depth: this.#calls.length });
  }

  asOneAccess<T>(access: () => T): T {
    this.#oneAccess++;
    const before = this.#accesses.length;
    try {
      return access();
    } finally {
      this.#oneAccess--;
      if (this.#oneAccess === 0 && !this.#replay) this.#accesses.splice(before + 1);
    }
  }

  withoutGuard<T>(access: () => T): T {
    this.#raceAllowed++;
    try {
      return access();
    } finally {
      this.#raceAllowed--;
    }
  }

  declareAtomic(why: string): void {
    if (!this.#replay) this.#atomicBecause = why;
  }

  choose(what: string, labels: readonly string[]): number {
    if (this.#replay) {
      const taken = this.#replay.choices[this.#nextChoice++];
      if (taken === undefined || taken >= labels.length) throw this.#nondeterministic();
      return taken;
    }
    const taken = this.options.choices?.[this.#choices.length] ?? 0;
    this.#decisions.push({ kind: "choice", what, labels, taken });
    if (labels.length === 0) throw new Blocked();
    this.#choices.push(taken);
    this.#event({ kind: "choice", what, label: labels[taken] as string, depth: this.#calls.length });
    return taken;
  }

  faultBudget(): number {
    return this.#readCell(this.environment.layout.faultsCell);
  }

  spendFault(_what: string): void {
    const { faultsCell } = this.environment.layout;
    this.#writeCell(faultsCell, this.#readCell(faultsCell) - 1);
  }

  applied(commit: string): boolean {
    return this.environment.applied.has(commit);
  }

  observe(event: string, values: readonly unknown[]): void {
    this.#event({ kind: "observe", event, values, depth: this.#calls.length });
  }

  report(check: CheckName, message: string): void {
    if (this.#replay) return;
    const report: Report = { check, message, location: this.#here() };
    if (this.#reports.some((known) => known.check === check && known.message === message)) return;
    this.#reports.push(report);
    this.#event({ kind: "report", report, depth: this.#calls.length });
  }

  fault(check: CheckName, message: string): never {
    throw new Fault({ check, message, location: this.#here() });
  }

  #access(view: StructView, field: FieldInfo, first: number): void {
    if (field.isGhost || this.#fresh.has(view)) return;
    const guarded = this.#isGuarded(view, field);
    if (this.#replay) return;
    const last = this.#accesses.at(-1);
    const isContainer = field.spec.kind === "set" || field.spec.kind === "list";
    if (isContainer && last?.kind === "access" && last.cell === first) return;
    this.#accesses.push({ kind: "access", cell: first, guarded });
  }

  /** Whether the lock that guards the field is held by this thread; reports if one guards it and it is not. */
  #isGuarded(view: StructView, field: FieldInfo): boolean {
    if (field.guard === null) return false;
    const { layout, names } = this.environment;
    let owner = view;
    for (const [position, name] of field.guard.entries()) {
      const step = owner.$struct.field(name);
      const cell = layout.fieldCell(step, owner.$index);
      const code = this.#readCell(cell);
      if (position === field.guard.length - 1) {
        if (code === this.thread + 1) return true;
        if (this.#raceAllowed === 0) {
          this.report("guarded-by", `${names.view(view)}.${field.name} is touched without ${names.cell(cell)}`);
        }
        return false;
      }
      if (code === 0 || step.spec.kind !== "ref") return false;
      owner = step.struct.schema.struct(step.spec.to).view(code - 1);
    }
    return false;
  }

  #readCell(cell: number): number {
    if (this.#replay) {
      const code = this.#replay.reads[this.#nextRead++];
      if (code === undefined) throw this.#nondeterministic();
      return code;
    }
    let code = this.#writes.get(cell);
    if (code === undefined) {
      code = readCell(this.environment.layout, this.state, cell);
      if (!this.#seen.has(cell)) {
        this.#seen.add(cell);
        this.#decisions.push({ kind: "read", cell, code });
      }
    }
    this.#reads.push(code);
    return code;
  }

  #writeCell(cell: number, code: number): void {
    if (this.#replay) return;
    const size = this.environment.layout.cells[cell]?.size as number;
    if (!(code >= 0 && code < size))
      this.fault("model-fault", `${this.environment.names.cell(cell)} cannot hold ${code}; its range is 0 to ${size - 1}`);
    this.#writes.set(cell, code);
  }

  #event(event: BlockEvent): void {
    if (this.options.trace && !this.#replay) this.#events.push(event);
  }

  #here(): Location | null {
    return this.#replay ? null : (this.environment.locate(new Error()) ?? this.#waitsAt);
  }

  #threadName(): string {
    return this.environment.threads[this.thread]?.name as string;
  }

  #notDynamic(struct: StructInfo, what: string): ModelError {
    return new ModelError(
      `${what} of ${struct.name}, whose pool has no bound in the scenario`,
      `Add pools: { ${struct.name}: N } to the scenario, N being the most objects that exist at a time.`,
      this.#here() ?? undefined,
    );
  }

  /** What a thrown error of model code means. Errors that are not the design's are passed on. */
  #reportOf(error: unknown): Report {
    if (error instanceof ModelError) throw error;
    if (!(error instanceof Error))
      throw new ModelError(`model code threw ${String(error)}`, "Model code does not throw; use WARN_ON or BUG_ON.");
    const location = this.environment.locate(error);
    if (error instanceof TypeError && /of null/.test(error.message)) {
      const field = /'([^']+)'/.exec(error.message)?.[1];
      return { check: "null-deref", message: `NULL pointer dereference${field ? ` (reading ->${field})` : ""}`, location };
    }
    if (error instanceof RangeError && /^\w+\.\w+ holds/.test(error.message))
      return { check: "model-fault", message: error.message, location };
    throw new ModelError(`model code failed: ${error.message}`, "Correct the model at this place.", location ?? undefined);
  }
}

/** The witnesses that lead from the start to the control state. */
function witnessesTo(control: Control, second: boolean): Witness[] {
  const chain: Witness[] = [];
  let witness = second ? (control.secondWitness ?? control.witness) : control.witness;
  while (witness !== null) {
    chain.push(witness);
    witness = witness.from.witness;
  }
  return chain.reverse();
}

/** Whether the local is a pointer into the state. */
export function isPointer(value: unknown): value is StructView | FieldHandle {
  return value instanceof StructView || value instanceof FieldHandle;
}
