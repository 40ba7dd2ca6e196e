/**
 * The context in which a block of a thread runs: it answers reads from the state and the block's own writes, and
 * records all that the block's behaviour depends on and all that it does. While a witness is replayed, the
 * answers come from the witness and nothing is recorded.
 */
import type { CheckName, Context } from "../lang/context.js";
import { type Location, ModelError } from "../lang/errors.js";
import type { OperationCall } from "../lang/operations.js";
import { type FieldInfo, type StructInfo, StructView } from "../lang/schema.js";
import { FREED, LIVE } from "../state/layout.js";
import { type CellView, readCell as cellOf, type State } from "../state/state.js";
import type { Access, Acquisition, BlockEvent, Decision, MissedOperation, Observed, Report } from "./block.js";
import type { Witness } from "./control.js";
import type { RunEnvironment, RunOptions } from "./environment.js";
import { Blocked, Diverged, Fault } from "./fault.js";
import type { ArgumentKind, Provenance } from "./provenance.js";

export class Recorder implements Context {
  readonly isStep = true;
  readonly faultPolicy: "contract" | "any";
  /** Calls open at the moment. */
  depth = 0;
  /** Mutexes that the thread's own procedure holds, as opposed to what it has called. */
  heldByRoot = 0;
  /** Site of the wait that is being tried; no model code is on the stack then. */
  waitsAt: Location | null = null;

  /** Every value read, in order: what a witness is made of. */
  readonly reads: number[] = [];
  readonly choices: number[] = [];
  readonly decisions: Decision[] = [];
  readonly writes = new Map<number, number>();
  readonly accesses: Access[] = [];
  /** Fields stored to while others could see them, by first cell. */
  readonly stored = new Set<number>();
  readonly acquisitions: Acquisition[] = [];
  readonly reports: Report[] = [];
  readonly observed: Observed[] = [];
  readonly freed: number[] = [];
  readonly events: BlockEvent[] = [];
  atomicBecause: string | null = null;
  /** Operations that were looked for in vain. */
  readonly missed: MissedOperation[] = [];
  /** Follows the pointers of drivers' operations, if somebody wants to know. */
  provenance: Provenance | null = null;
  /** Names of the procedures that are running, outermost first. */
  procedures: () => readonly string[] = () => [];

  #replay: Witness | null = null;
  #nextRead = 0;
  #nextChoice = 0;
  readonly #seen = new Set<number>();
  /** Objects allocated by this block that nothing old points to yet: nobody else can see them. */
  readonly #fresh = new Set<StructView>();
  #oneAccess = 0;
  #raceAllowed = 0;

  constructor(
    readonly environment: RunEnvironment,
    readonly thread: number,
    /** Null as long as nothing but witnesses is replayed. */
    readonly state: State | CellView | null,
    readonly options: RunOptions,
  ) {
    this.faultPolicy = environment.faultPolicy;
  }

  /** A recorder for the block after this one, on a state of its own. */
  forNextBlock(state: State | CellView, options: RunOptions): Recorder {
    const next = new Recorder(this.environment, this.thread, state, options);
    next.depth = this.depth;
    next.heldByRoot = this.heldByRoot;
    return next;
  }

  /** Runs `block` on the answers of the witness. Throws `Diverged` if it asks for other things than the witness has. */
  replaying(witness: Witness, block: () => void): void {
    this.#replay = witness;
    this.#nextRead = 0;
    this.#nextChoice = 0;
    try {
      block();
    } finally {
      this.#replay = null;
    }
    if (this.#nextRead !== witness.reads.length || this.#nextChoice !== witness.choices.length) throw new Diverged();
    this.#oneAccess = 0;
    this.#raceAllowed = 0;
    // What an earlier block allocated has been there for others to see since that block ended.
    this.#fresh.clear();
  }

  threadName(): string {
    return this.environment.threads[this.thread]?.name as string;
  }

  read(view: StructView, field: FieldInfo, offset: number): number {
    this.touch(view);
    const first = this.environment.layout.fieldCell(field, view.$index);
    this.#access(view, field, first, false);
    const code = this.readCell(first + offset);
    if (this.provenance !== null) this.#follow(view, field, offset, code);
    return code;
  }

  write(view: StructView, field: FieldInfo, offset: number, code: number): void {
    this.touch(view);
    const first = this.environment.layout.fieldCell(field, view.$index);
    this.#access(view, field, first, true);
    if (!this.#fresh.has(view)) {
      this.stored.add(first);
      this.#publish(field, offset, code);
    }
    if (this.provenance !== null) {
      this.provenance.touch("write", view, field);
      const target = targetOf(field, offset, code);
      if (target !== null) this.provenance.touch("store", target, field);
    }
    this.#writeCell(first + offset, code);
  }

  /** A new object that something old now points to can be seen by others. */
  #publish(field: FieldInfo, offset: number, code: number): void {
    if (this.#fresh.size === 0) return;
    const target = targetOf(field, offset, code);
    if (target !== null) this.#fresh.delete(target);
  }

  #follow(view: StructView, field: FieldInfo, offset: number, code: number): void {
    this.provenance?.touch("read", view, field);
    const target = targetOf(field, offset, code);
    if (target !== null) this.provenance?.follow(view, field, target);
  }

  touch(view: StructView): void {
    const cell = this.environment.layout.livenessCell(view.$struct, view.$index);
    if (cell >= 0 && this.readCell(cell) !== LIVE)
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
      if (this.readCell(cell) === 0) {
        this.#writeCell(cell, LIVE);
        this.#fresh.add(struct.view(slot));
        this.provenance?.allocated(struct.view(slot));
        this.event({ kind: "allocate", cell, depth: this.depth });
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
    if (this.readCell(cell) !== LIVE) this.fault("double-free", `${names.view(view)} is freed again`);
    for (const field of view.$struct.fields) {
      if (field.spec.kind === "mutex" && this.readCell(layout.fieldCell(field, view.$index)) !== 0) {
        this.fault("lockdep", `${names.view(view)} is freed while ${names.cell(layout.fieldCell(field, view.$index))} is held`);
      }
    }
    this.#writeCell(cell, FREED);
    this.provenance?.touch("free", view, null);
    // A freed object's fields are cleared, so that states which cannot differ do not differ.
    for (const cell of layout.cellsOf(view)) this.#writeCell(cell, 0);
    if (!this.#replay) this.freed.push(cell);
    this.event({ kind: "free", cell, depth: this.depth });
  }

  isFreed(): boolean {
    throw new ModelError("isFreed() is asked by model code", "Only properties may ask it; the C cannot.", this.#here() ?? undefined);
  }

  acquire(view: StructView, field: FieldInfo, waits: boolean): void {
    const { layout } = this.environment;
    const cell = layout.fieldCell(field, view.$index);
    this.#writeCell(cell, this.thread + 1);
    const held = layout.heldCell(this.thread);
    this.#writeCell(held, this.readCell(held) + 1);
    if (this.depth === 0) this.heldByRoot++;
    if (this.#replay) return;
    // As for the kernel's lockdep, a trylock orders what is taken after it, but comes after nothing: it cannot wait.
    if (waits) this.#noteAcquisition(cell);
    this.provenance?.touch("lock", view, field);
    this.accesses.push({ kind: "acquire", cell, guarded: true, writes: true });
    this.event({ kind: "lock", cell, depth: this.depth });
  }

  /** Where it is taken is on the stack of an error, which costs little to make and much to read. */
  #noteAcquisition(cell: number): void {
    const { environment, waitsAt } = this;
    const here = new Error();
    this.acquisitions.push({
      cell,
      get location() {
        return environment.locate(here) ?? waitsAt;
      },
    });
  }

  release(view: StructView, field: FieldInfo): void {
    const { layout, names } = this.environment;
    this.touch(view);
    const cell = layout.fieldCell(field, view.$index);
    const holder = this.readCell(cell);
    if (holder !== this.thread + 1) {
      this.fault("lockdep", `${this.threadName()} unlocks ${names.cell(cell)}, which ${holder === 0 ? "is free" : "another thread holds"}`);
    }
    this.#writeCell(cell, 0);
    const held = layout.heldCell(this.thread);
    this.#writeCell(held, this.readCell(held) - 1);
    if (this.depth === 0) this.heldByRoot--;
    if (this.#replay) return;
    this.accesses.push({ kind: "release", cell, guarded: true, writes: true });
    this.event({ kind: "unlock", cell, depth: this.depth });
  }

  asOneAccess<T>(access: () => T): T {
    this.#oneAccess++;
    const before = this.accesses.length;
    try {
      return access();
    } finally {
      this.#oneAccess--;
      if (this.#oneAccess === 0 && !this.#replay) this.#mergeAccesses(before);
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
    if (!this.#replay) this.atomicBecause = why;
  }

  choose(what: string, labels: readonly string[]): number {
    if (this.#replay) {
      const taken = this.#replay.choices[this.#nextChoice++];
      if (taken === undefined || taken >= labels.length) throw new Diverged();
      return taken;
    }
    const taken = this.options.choices?.[this.choices.length] ?? 0;
    this.decisions.push({ kind: "choice", what, labels, taken });
    if (labels.length === 0) throw new Blocked();
    this.choices.push(taken);
    const label = labels[taken] as string;
    this.observed.push({ kind: "choice", what, label });
    this.event({ kind: "choice", what, label, depth: this.depth });
    return taken;
  }

  faultBudget(): number {
    return this.readCell(this.environment.layout.faultsCell);
  }

  spendFault(_what: string): void {
    const { faultsCell } = this.environment.layout;
    this.#writeCell(faultsCell, this.readCell(faultsCell) - 1);
  }

  applied(commit: string): boolean {
    this.environment.asked.add(commit);
    return this.environment.applied.has(commit);
  }

  observe(event: string, values: readonly unknown[]): void {
    if (!this.#replay) this.observed.push({ kind: "observe", event, values });
    this.event({ kind: "observe", event, values, depth: this.depth });
  }

  operate<T>(call: OperationCall, act: () => T): T {
    this.beginOperation(call);
    try {
      return act();
    } finally {
      this.provenance?.end();
    }
  }

  beginOperation(call: OperationCall): void {
    this.provenance?.begin(
      call,
      this.depth,
      this.#callerOf(call.operation),
      call.arguments.map((argument) => this.#kindOf(argument)),
    );
  }

  missing(driver: string, operation: string): void {
    if (!this.#replay) this.missed.push({ driver, operation, caller: this.#callerOf(operation) });
  }

  /** A procedure of the operation's own name passes it on to the driver. */
  #callerOf(operation: string): string {
    return this.procedures().findLast((name) => name !== operation) ?? "";
  }

  /** What is looked at here decides nothing: it is no read of the block. */
  #kindOf(argument: unknown): ArgumentKind {
    if (!(argument instanceof StructView)) return { value: argument === null ? "NULL" : String(argument) };
    const { layout, names } = this.environment;
    const { $struct, $index } = argument;
    const field = $struct.fields.find(({ name }) => name === "type");
    if (field?.spec.kind !== "enumeration") return { struct: $struct.name, type: null };
    const cell = layout.fieldCell(field, $index);
    const code = this.writes.get(cell) ?? cellOf(layout, this.state as State | CellView, cell);
    return { struct: $struct.name, type: names.code(cell, code) };
  }

  report(check: CheckName, message: string): void {
    if (this.#replay) return;
    const report: Report = { check, message, location: this.#here() };
    const isSame = (known: Report) => known.check === check && known.message === message && known.location?.line === report.location?.line;
    if (this.reports.some(isSame)) return;
    this.reports.push(report);
    if (check === "warn-on") this.observed.push({ kind: "warning", procedure: this.procedures().at(-1) ?? "" });
    this.event({ kind: "report", report, depth: this.depth });
  }

  fault(check: CheckName, message: string): never {
    throw new Fault({ check, message, location: this.#here() });
  }

  /** Makes one access of those from the position on. */
  #mergeAccesses(from: number): void {
    const [first, ...others] = this.accesses.splice(from);
    if (first) this.accesses.push({ ...first, writes: [first, ...others].some(({ writes }) => writes) });
  }

  #access(view: StructView, field: FieldInfo, first: number, writes: boolean): void {
    if (field.isGhost || this.#fresh.has(view)) return;
    const guarded = this.#isGuarded(view, field);
    if (this.#replay) return;
    const last = this.accesses.at(-1);
    const isContainer = field.spec.kind === "set" || field.spec.kind === "list";
    if (isContainer && last?.kind === "access" && last.cell === first) {
      this.accesses[this.accesses.length - 1] = { ...last, writes: last.writes || writes };
    } else this.accesses.push({ kind: "access", cell: first, guarded, writes });
  }

  /** Whether the lock that guards the field is held by this thread; reports if one guards it and it is not. */
  #isGuarded(view: StructView, field: FieldInfo): boolean {
    if (field.guard === null) return false;
    const { layout, names } = this.environment;
    const lock = layout.mutexCell(view, field.guard, (cell) => this.readCell(cell));
    if (lock === null) return false;
    if (this.readCell(lock) === this.thread + 1) return true;
    if (this.#raceAllowed === 0) {
      this.report("guarded-by", `${names.view(view)}.${field.name} is touched without ${names.cell(lock)}`);
    }
    return false;
  }

  /** Reads a cell as model code does: recorded, and seeing the block's own writes. */
  readCell(cell: number): number {
    if (this.#replay) {
      const code = this.#replay.reads[this.#nextRead++];
      if (code === undefined) throw new Diverged();
      return code;
    }
    let code = this.writes.get(cell);
    if (code === undefined) {
      code = cellOf(this.environment.layout, this.state as State | CellView, cell);
      if (!this.#seen.has(cell)) {
        this.#seen.add(cell);
        this.decisions.push({ kind: "read", cell, code });
      }
    }
    this.reads.push(code);
    return code;
  }

  #writeCell(cell: number, code: number): void {
    if (this.#replay) return;
    const size = this.environment.layout.cells[cell]?.size as number;
    if (!(Number.isInteger(code) && code >= 0 && code < size))
      this.fault("model-fault", `${this.environment.names.cell(cell)} cannot hold ${code}; its range is 0 to ${size - 1}`);
    this.writes.set(cell, code);
  }

  event(event: BlockEvent): void {
    if (this.options.trace && !this.#replay) this.events.push(event);
  }

  #here(): Location | null {
    return this.#replay ? null : (this.environment.locate(new Error()) ?? this.waitsAt);
  }

  #notDynamic(struct: StructInfo, what: string): ModelError {
    return new ModelError(
      `${what} of ${struct.name}, whose pool has no bound in the scenario`,
      `Add pools: { ${struct.name}: N } to the scenario, N being the most objects that exist at a time.`,
      this.#here() ?? undefined,
    );
  }
}

/** What a field that holds this code points to; null if it points to nothing. */
function targetOf({ spec, struct }: FieldInfo, offset: number, code: number): StructView | null {
  if (code === 0) return null;
  const { schema } = struct;
  if (spec.kind === "ref") return schema.struct(spec.to).view(code - 1);
  if (spec.kind === "list") return schema.struct(spec.of).view(code - 1);
  return spec.kind === "set" ? schema.struct(spec.of).view(offset) : null;
}
