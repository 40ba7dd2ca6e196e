/** Asks a property of a state, natively, and records what the answer depended on. */
import { type Context, within } from "../lang/context.js";
import { type Location, ModelError } from "../lang/errors.js";
import type { Judgement, Property } from "../lang/property.js";
import type { FieldInfo, StructInfo, StructView } from "../lang/schema.js";
import { FREED, LIVE } from "../state/layout.js";
import { type Cells, readCell, type State } from "../state/state.js";
import type { Control } from "../step/control.js";
import { nullAccess } from "../step/fault.js";
import type { Machine } from "../step/machine.js";

/** A property of one object; of the whole state if `subject` is null. */
export interface PropertyInstance {
  readonly property: Property;
  readonly subject: StructView | null;
}

export type Verdict =
  | "true"
  | "false"
  /** The window is not open here, or the property does not apply. */
  | "closed";

export interface Answer {
  readonly verdict: Verdict;
  /** First read of each cell, in order. Cells of the state before a step are numbered from `layout.cells.length`. */
  readonly reads: readonly { readonly cell: number; readonly code: number }[];
  /** Names of the conjuncts that are false. */
  readonly failing: readonly string[];
  /** What went wrong while evaluating, if it did: a pointer that dangles or is NULL makes the property false. */
  readonly trouble: string | null;
}

/** What a violation is called: what went wrong, or what is not so, or the claim. */
export function failureText({ sentence }: Property, { failing, trouble }: Answer): string {
  return trouble ?? (failing.length > 0 ? `not so: ${failing.join("; ")}` : sentence);
}

/** The instances of a property in a machine: one for each slot it quantifies over. */
export function instancesOf(property: Property, machine: Machine): PropertyInstance[] {
  const { window } = property;
  if (window.kind === "onReturn" || window.over === null) return [{ property, subject: null }];
  const struct = machine.layout.schema.struct(window.over);
  return Array.from({ length: machine.layout.slots(struct) }, (_, slot) => ({ property, subject: struct.view(slot) }));
}

/** What a property is asked about. */
export interface Question {
  readonly state: State | Cells;
  /** For `onStep`: the state before. */
  readonly before?: State | Cells;
  /** For `onReturn`: the control state of the thread that has just returned. */
  readonly returned?: Control;
}

/** Asks. Throws a ModelError if the predicate fails for a reason that is not the design's. */
export function evaluate(instance: PropertyInstance, machine: Machine, question: Question): Answer {
  const context = new PropertyContext(machine, question);
  try {
    const judgement = within(context, () => ask(instance, context, question));
    if (question.before !== undefined && !context.somethingReadChanged())
      return { verdict: "closed", reads: context.reads, failing: [], trouble: null };
    if (judgement === null) return { verdict: "closed", reads: context.reads, failing: [], trouble: null };
    if (!isJudgement(judgement)) throw new TypeError("it returned neither true, false or null, nor named conjuncts that are true or false");
    if (typeof judgement === "boolean") return { verdict: judgement ? "true" : "false", reads: context.reads, failing: [], trouble: null };
    const failing = Object.entries(judgement).flatMap(([name, holds]) => (holds ? [] : [name]));
    return { verdict: failing.length === 0 ? "true" : "false", reads: context.reads, failing, trouble: null };
  } catch (error) {
    const trouble = troubleOf(error);
    // The window of a step property opens only with a change of what it reads, also when reading fails.
    if (trouble !== null) {
      const isOpen = question.before === undefined || context.somethingReadChanged();
      return { verdict: isOpen ? "false" : "closed", reads: context.reads, failing: [], trouble: isOpen ? trouble : null };
    }
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      `property ${instance.property.code} failed: ${(error as Error).message}`,
      "Correct the predicate at this place.",
      machine.locate(error as Error) ?? undefined,
    );
  }
}

/** Types say so already; but a file may be JavaScript, and what is no answer must not count as one. */
function isJudgement(value: unknown): value is boolean | Readonly<Record<string, boolean>> {
  if (typeof value !== "object" || value === null) return typeof value === "boolean";
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every((holds) => typeof holds === "boolean");
}

class Dangling extends Error {}

function troubleOf(error: unknown): string | null {
  if (error instanceof Dangling) return error.message;
  const field = nullAccess(error);
  return field === null ? null : `it follows a NULL pointer (${field || "?"})`;
}

function ask({ property, subject }: PropertyInstance, context: PropertyContext, question: Question): Judgement {
  const { window } = property;
  const world = {
    all: (name: string) => {
      const struct = context.machine.layout.schema.struct(name);
      return Array.from({ length: context.slots(struct) }, (_, slot) => struct.view(slot)).filter((view) => context.isLive(view));
    },
  };
  if (window.kind === "onReturn") {
    const { returned } = question;
    if (returned?.returned?.procedure !== window.procedure) return null;
    return window.holds(returned.returned.parameters, returned.returned.result, world);
  }
  if (subject !== null && !context.isLive(subject)) return null;
  switch (window.kind) {
    case "atRest":
      return context.isFree(subject as StructView, window.lock.split(".")) ? window.holds(subject, world) : null;
    case "onStep": {
      const { before } = question;
      if (before === undefined) throw new Error("a step property needs two states");
      return window.holds(subject, <T>(read: () => T) => context.inBefore(read), world);
    }
    default:
      return window.holds(subject, world);
  }
}

class PropertyContext implements Context {
  readonly isStep = false;
  readonly thread = -1;
  readonly reads: { cell: number; code: number }[] = [];
  readonly faultPolicy = "contract";
  readonly #seen = new Set<number>();
  #before = false;

  constructor(
    readonly machine: Machine,
    readonly question: Question,
  ) {}

  inBefore<T>(read: () => T): T {
    this.#before = true;
    try {
      return read();
    } finally {
      this.#before = false;
    }
  }

  /** Whether the step changed a cell that was read. Reads each such cell in both states, so that the answer follows from what is recorded. */
  somethingReadChanged(): boolean {
    const { cells: all } = this.machine.layout;
    const cells = new Set(this.reads.map(({ cell }) => cell % all.length));
    let changed = false;
    for (const cell of cells) {
      const after = this.#readCell(cell);
      const before = this.inBefore(() => this.#readCell(cell));
      // That a freed slot may be used again is the checker's affair, and no change.
      changed ||= all[cell]?.kind === "liveness" ? (after === LIVE) !== (before === LIVE) : after !== before;
    }
    return changed;
  }

  isLive(view: StructView): boolean {
    const cell = this.machine.layout.livenessCell(view.$struct, view.$index);
    return cell < 0 || this.#readCell(cell) === LIVE;
  }

  isFreed(view: StructView): boolean {
    const cell = this.machine.layout.livenessCell(view.$struct, view.$index);
    return cell >= 0 && this.#readCell(cell) === FREED;
  }

  /** Whether the mutex at the end of the path is free. A NULL pointer on the way means that there is none to hold. */
  isFree(view: StructView, path: readonly string[]): boolean {
    const lock = this.machine.layout.mutexCell(view, path, (cell) => this.#readCell(cell));
    return lock === null || this.#readCell(lock) === 0;
  }

  read(view: StructView, field: FieldInfo, offset: number): number {
    this.touch(view);
    return this.#readCell(this.machine.layout.fieldCell(field, view.$index) + offset);
  }

  touch(view: StructView): void {
    if (this.isLive(view)) return;
    const name = this.machine.names.view(view);
    throw new Dangling(
      this.isFreed(view)
        ? `it follows a pointer to ${name}, which is freed`
        : `it reads ${name}, which is not allocated${this.#before ? " before the step" : ""}`,
    );
  }

  slots(struct: StructInfo): number {
    return this.machine.layout.slots(struct);
  }

  applied(commit: string): boolean {
    this.machine.asked.add(commit);
    return this.machine.applied.has(commit);
  }

  asOneAccess<T>(access: () => T): T {
    return access();
  }

  withoutGuard<T>(access: () => T): T {
    return access();
  }

  operate<T>(_call: unknown, act: () => T): T {
    return act();
  }

  /** A property may ask which operations there are. */
  missing(): void {}

  #readCell(cell: number): number {
    const { layout } = this.machine;
    const state = this.#before ? (this.question.before as State | Cells) : this.question.state;
    const code = readCell(layout, state, cell);
    const key = this.#before ? cell + layout.cells.length : cell;
    if (!this.#seen.has(key)) {
      this.#seen.add(key);
      this.reads.push({ cell: key, code });
    }
    return code;
  }

  write = this.#refuse("assigns to the state");
  allocate = this.#refuse("calls kzalloc");
  free = this.#refuse("calls kfree");
  acquire = this.#refuse("takes a lock");
  release = this.#refuse("releases a lock");
  declareAtomic = this.#refuse("calls atomic");
  choose = this.#refuse("calls choose");
  faultBudget = this.#refuse("calls fault");
  spendFault = this.#refuse("calls fault");
  observe = this.#refuse("calls observe");
  report = this.#refuse("reports");
  fault = this.#refuse("reports");

  #refuse(what: string): () => never {
    return () => {
      const location: Location | null = this.machine.locate(new Error());
      throw new ModelError(`a property ${what}`, "A property only reads.", location ?? undefined);
    };
  }
}
