/**
 * Traces in the Informal Trace Format (ITF) of Apalache and Quint, for their viewers and for other tools: the whole
 * state before and after every step. See https://apalache-mc.org/docs/adr/015adr-trace.html and docs/json.md.
 */
import { formatLocation } from "../lang/errors.js";
import type { FieldInfo, StructInfo } from "../lang/schema.js";
import { type FREE, FREED, LIVE } from "../state/layout.js";
import { readCell, type State } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { formatPath } from "../trace/replay.js";
import { changesText } from "./bounds.js";
import { claimText } from "./finding-text.js";
import { checksOf, placesOf, type Shown, type Subject } from "./shown.js";
import { stepRows } from "./trace-rows.js";
import type { SuiteResult } from "./verdict.js";

/** A value: whole numbers are big integers, records have fields, maps any keys. */
export type ItfValue =
  | boolean
  | string
  | { readonly "#bigint": string }
  | readonly ItfValue[]
  | { readonly "#set": readonly ItfValue[] }
  | { readonly "#map": readonly (readonly [ItfValue, ItfValue])[] }
  | { readonly [field: string]: ItfValue };

export interface ItfTrace {
  readonly "#meta": Readonly<Record<string, string>>;
  readonly vars: readonly string[];
  readonly states: readonly ({ readonly "#meta": { readonly index: number } } & { readonly [variable: string]: unknown })[];
}

/** A line for every path that was found, each a document of its own; one path alone is a file that viewers take. */
export function itfReport(results: readonly SuiteResult[]): string {
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  return placesOf(runs)
    .map(({ run, shown }) => `${JSON.stringify(itfTrace(run, shown))}\n`)
    .join("");
}

/** The states along one path. Variables: each struct of the schema, by object; the objects freed; the faults left; the threads; the step taken last. */
export function itfTrace({ suite, variant, machine }: Subject, shown: Shown): ItfTrace {
  const { steps, states } = shown.trace;
  const { structs } = machine.layout.schema;
  const own = ownNames(new Set(structs.map(({ name }) => name)));
  const rows = stepRows(machine, { steps, states });
  const changes = changesText(variant);
  return {
    "#meta": {
      format: "ITF",
      "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
      source: suite.name,
      description: shown.findings.map(({ finding }) => claimText(suite, finding)).join("; "),
      status: shown.findings.length === 0 ? "ok" : "violation",
      checks: checksOf(shown).join(" "),
      design: `${suite.design.name} ${suite.design.version}${changes === "" ? "" : ` ${changes}`}`,
      path: formatPath(shown.path),
    },
    vars: [...structs.map(({ name }) => name), own.freed, own.faults, own.threads, own.step],
    states: Array.from({ length: steps.length + 1 }, (_, index) => {
      // A step that ends in a fault leads to no state of its own.
      const state = (states[index] ?? states.at(-1)) as State;
      const step = steps[index - 1];
      return {
        "#meta": { index },
        ...Object.fromEntries(structs.map((struct) => [struct.name, objectsOf(machine, struct, state)])),
        [own.freed]: {
          "#set": structs.flatMap((struct) => slotsIn(machine, struct, state, FREED).map((slot) => machine.names.object(struct, slot))),
        },
        [own.faults]: integer(state.faults),
        [own.threads]: {
          "#map": machine.threads.map(({ name }, thread) => [name, threadOf(machine, machine.control(state, thread))] as const),
        },
        [own.step]: {
          thread: step === undefined ? "" : (machine.names.threads[step.thread] as string),
          does: rows[index - 1]?.rows.map(({ text }) => text) ?? [],
          fault: step?.fault ? `${step.fault.check}: ${step.fault.message}` : "",
        },
      };
    }),
  };
}

/** What is not the model's is called so that no struct has its name. */
function ownNames(taken: ReadonlySet<string>): Record<"freed" | "faults" | "threads" | "step", string> {
  const free = (name: string): string => (taken.has(name) ? free(`${name}_`) : name);
  return { freed: free("freed"), faults: free("faults"), threads: free("threads"), step: free("step") };
}

function integer(value: number): ItfValue {
  return { "#bigint": String(value) };
}

function slotsIn({ layout }: Machine, struct: StructInfo, state: State, liveness: typeof FREE | typeof LIVE | typeof FREED): number[] {
  const isIn = (slot: number) => {
    const cell = layout.livenessCell(struct, slot);
    return (cell < 0 ? LIVE : readCell(layout, state, cell)) === liveness;
  };
  return Array.from({ length: layout.slots(struct) }, (_, slot) => slot).filter(isIn);
}

function objectsOf(machine: Machine, struct: StructInfo, state: State): ItfValue {
  return {
    "#map": slotsIn(machine, struct, state, LIVE).map((slot) => {
      const fields = struct.fields.map((field) => [field.name, fieldValue(machine, field, slot, state)] as const);
      return [machine.names.object(struct, slot), Object.fromEntries(fields)] as const;
    }),
  };
}

function fieldValue({ layout, names }: Machine, field: FieldInfo, slot: number, state: State): ItfValue {
  const { spec } = field;
  const first = layout.fieldCell(field, slot);
  const codes = Array.from({ length: layout.width(field) }, (_, offset) => readCell(layout, state, first + offset));
  const code = codes[0] ?? 0;
  switch (spec.kind) {
    case "flag":
      return code === 1;
    case "counter":
    case "refcount":
      return integer(code);
    case "set": {
      const members = field.struct.schema.struct(spec.of);
      return { "#set": codes.flatMap((isIn, member) => (isIn === 1 ? [names.object(members, member)] : [])) };
    }
    case "list":
      return codes.flatMap((element, position) => (element === 0 ? [] : [names.code(first + position, element)]));
    case "mutex":
      return code === 0 ? "free" : (names.threads[code - 1] as string);
    default:
      return names.code(first, code);
  }
}

function threadOf({ names }: Machine, { kind, frames }: Control): ItfValue {
  return {
    waits: kind,
    stack: frames.map(({ site, live }) => ({
      procedure: site.procedure,
      at: formatLocation(site.location),
      locals: { "#map": site.live.map((name, position) => [name, names.value(live[position])] as const) },
    })),
  };
}
