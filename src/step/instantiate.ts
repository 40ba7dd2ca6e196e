/** From a scenario's declaration to its layout, initial objects and threads: runs `setup` once. */
import { type Context, within } from "../lang/context.js";
import { type Location, ModelError } from "../lang/errors.js";
import type { Scenario, Thread } from "../lang/scenario.js";
import { encode, type FieldInfo, type StructInfo, type StructView } from "../lang/schema.js";
import { Layout, LIVE, type PoolSizes } from "../state/layout.js";
import { Names } from "../state/names.js";
import { blankState, type State, writeCell } from "../state/state.js";
import { describeUnstorable, isStorable } from "./control.js";

export interface Instance {
  readonly layout: Layout;
  readonly names: Names;
  readonly threads: readonly Thread[];
  readonly initial: State;
}

/** `faults` is the number of failures that may be injected. Throws a ModelError if the scenario contradicts itself. */
export function instantiate(scenario: Scenario, faults: number, locate: (error: Error) => Location | null): Instance {
  const { schema } = scenario;
  checkBound(`the fault budget of scenario ${scenario.name}`, faults);
  const names: (string | undefined)[][] = schema.structs.map(() => []);
  const stored: { view: StructView; field: FieldInfo; offset: number; code: number }[] = [];
  const context = setupContext(names, stored);
  const setup = (): readonly Thread[] =>
    scenario.setup((structName, objectName, initial) => {
      const struct = schema.struct(structName);
      const made = names[struct.number] as string[];
      const view = struct.view(made.length);
      made.push(objectName);
      for (const [fieldName, value] of Object.entries(initial ?? {})) {
        const field = struct.field(fieldName);
        context.write(view, field, 0, encode(field, value));
      }
      return view as never;
    });
  const threads = within(context, () => locatedSetup(setup, locate));
  threads.forEach(checkParameters);
  const pools = poolSizes(scenario, names);
  const layout = new Layout(schema, pools, threads.length, faults);
  const state = blankState(layout);
  state.faults = faults;
  for (const struct of schema.structs) {
    const made = names[struct.number]?.length as number;
    for (let slot = 0; slot < made; slot++) {
      const cell = layout.livenessCell(struct, slot);
      if (cell >= 0) writeCell(layout, state, cell, LIVE);
    }
  }
  for (const { view, field, offset, code } of stored) {
    const cell = layout.cell(view, field, offset);
    const size = layout.cells[cell]?.size as number;
    if (!(Number.isInteger(code) && code >= 0 && code < size)) {
      const name = `${names[view.$struct.number]?.[view.$index]}.${field.name}`;
      throw new ModelError(
        `setup: ${name} cannot hold ${code}; its range is 0 to ${size - 1}`,
        "Raise the bound in the schema, or start lower.",
      );
    }
    writeCell(layout, state, cell, code);
  }
  return {
    layout,
    names: new Names(
      layout,
      names,
      threads.map((thread) => thread.name),
    ),
    threads,
    initial: state as State,
  };
}

/** Largest bound of a pool or of the fault budget. */
const LARGEST_BOUND = 65_535;

function checkBound(what: string, bound: number): void {
  if (Number.isInteger(bound) && bound >= 0 && bound <= LARGEST_BOUND) return;
  throw new ModelError(`${what} is ${bound}`, `It has to be a whole number from 0 to ${LARGEST_BOUND}.`);
}

function locatedSetup(setup: () => readonly Thread[], locate: (error: Error) => Location | null): readonly Thread[] {
  try {
    return setup();
  } catch (error) {
    const location = (error instanceof Error ? locate(error) : null) ?? undefined;
    if (error instanceof ModelError) throw error.location ? error : new ModelError(error.message, error.hint, location);
    throw new ModelError(`setup: ${error instanceof Error ? error.message : String(error)}`, "Correct the scenario's setup.", location);
  }
}

/** What a thread starts with has to be plain data: an object that it shares with others would be state outside of the state. */
function checkParameters({ name, parameters }: Thread): void {
  const wrong = parameters.find((value) => !isStorable(value));
  if (wrong === undefined) return;
  throw new ModelError(
    `thread ${name} is started with ${describeUnstorable(wrong)}`,
    "Start it with numbers, strings, booleans, null, objects of the state, or arrays of these.",
  );
}

function poolSizes(scenario: Scenario, names: readonly (readonly unknown[])[]): PoolSizes {
  const bounds = (scenario.pools ?? {}) as Record<string, number | undefined>;
  const slots: number[] = [];
  const dynamic: boolean[] = [];
  for (const struct of scenario.schema.structs) {
    const made = names[struct.number]?.length as number;
    const bound = bounds[struct.name];
    if (bound !== undefined) checkBound(`pools.${struct.name} of scenario ${scenario.name}`, bound);
    if (bound !== undefined && bound < made) {
      throw new ModelError(
        `scenario ${scenario.name} makes ${made} objects of ${struct.name}, but its pool has ${bound} slots`,
        `Raise pools.${struct.name} to at least ${made}.`,
      );
    }
    slots.push(bound ?? made);
    dynamic.push(bound !== undefined);
  }
  return { slots, dynamic };
}

/** Setup runs before there is a layout: what it writes is kept in a list, and read back from there. */
function setupContext(
  names: readonly (readonly unknown[])[],
  stored: { view: StructView; field: FieldInfo; offset: number; code: number }[],
): Context {
  const notInSetup = (what: string) => (): never => {
    throw new ModelError(
      `${what} in a scenario's setup`,
      "A setup only makes objects and assigns fields; behaviour belongs into a procedure.",
    );
  };
  const find = (view: StructView, field: FieldInfo, offset: number) =>
    stored.find((entry) => entry.view === view && entry.field === field && entry.offset === offset);
  return {
    isStep: false,
    thread: -1,
    faultPolicy: "contract",
    read: (view, field, offset) => find(view, field, offset)?.code ?? 0,
    write(view, field, offset, code) {
      const entry = find(view, field, offset);
      if (entry) entry.code = code;
      else stored.push({ view, field, offset, code });
    },
    touch: () => {},
    slots: (struct: StructInfo) => names[struct.number]?.length as number,
    isFreed: () => false,
    asOneAccess: (access) => access(),
    withoutGuard: (access) => access(),
    operate: (_call, act) => act(),
    missing: () => {},
    allocate: notInSetup("kzalloc"),
    free: notInSetup("kfree"),
    acquire: notInSetup("mutex_trylock"),
    release: notInSetup("mutex_unlock"),
    declareAtomic: notInSetup("atomic"),
    choose: notInSetup("choose"),
    faultBudget: notInSetup("fault"),
    spendFault: notInSetup("fault"),
    applied: notInSetup("applied"),
    observe: notInSetup("observe"),
    report: (_check, message) => {
      throw new ModelError(`setup: ${message}`, "Make the initial state one that the model allows.");
    },
    fault: (_check, message) => {
      throw new ModelError(`setup: ${message}`, "Make the initial state one that the model allows.");
    },
  };
}
