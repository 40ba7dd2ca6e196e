/** Whether the model explains a recording, as text and as JSON. */
import type { Outcome, Unexplained } from "../ftrace/explain.js";
import type { Mismatch } from "../ftrace/matching.js";
import type { TraceRecord } from "../ftrace/record.js";
import type { Happening, OutOfScope } from "../ftrace/scope.js";
import { MAY_BE_INLINED } from "../ftrace/vocabulary.js";
import type { StructView } from "../lang/schema.js";
import type { Toggle } from "../session/bisect.js";
import type { Explaining } from "../session/explaining-commits.js";
import type { ExitCode } from "../session/run-suite.js";
import type { Validation } from "../session/validate.js";
import { readCell } from "../state/state.js";
import type { JsonHeader } from "./json.js";
import type { Look } from "./style.js";
import { counted, enumerate, hanging } from "./wrap.js";

/** `validate`. */
export interface JsonValidation extends JsonHeader {
  /** The file. */
  readonly trace: string;
  readonly design: string;
  /** With `--bisect-commits`, what the design had to be changed by to explain most, and how many sets were tried; otherwise null. */
  readonly commits: { readonly applied: readonly string[]; readonly reverted: readonly string[]; readonly tried: number } | null;
  /** Records of the trace, those that are followed, and those of the longest prefix of these that is explained. */
  readonly records: number;
  readonly inScope: number;
  readonly explained: number;
  /** Calls of tasks that the model was led through. */
  readonly calls: number;
  /** The most states that the model may have been in at a time. */
  readonly widest: number;
  /** What was not recorded and has to have happened, in words. */
  readonly assumed: readonly string[];
  /** Where events were lost, beyond which nothing is said; null if none were. */
  readonly lost: { readonly line: number; readonly what: string } | null;
  /** What ends the model's thread where the trace ends, as a crash of the kernel would; null if nothing does. */
  readonly crash: string | null;
  /** Null if everything is explained. */
  readonly firstUnexplained: JsonUnexplained | null;
  readonly outOfScope: readonly OutOfScope[];
  /** Procedures a call of which may be without a record. */
  readonly mayBeUnrecorded: readonly string[];
  readonly exitCode: ExitCode;
}

export interface JsonUnexplained {
  /** Line of the file. */
  readonly line: number;
  readonly task: string;
  readonly pid: number;
  readonly record: string;
  /** The records explained just before it, the last one last. */
  readonly before: readonly string[];
  /** What the model's threads could have done instead. */
  readonly allowed: readonly { readonly event: string; readonly why: string }[];
  /** The objects it is about, as the model has them. */
  readonly state: readonly string[];
}

/** Records shown before the one that is not explained. */
const SHOWN_BEFORE = 12;

export function jsonValidation(
  header: JsonHeader,
  { trace, design, scope, machine, lost }: Validation,
  outcome: Outcome,
  explaining: Pick<Explaining, "toggles" | "tried"> | null,
): JsonValidation {
  const changed = (how: Toggle["change"]) => explaining?.toggles.flatMap(({ sha, change }) => (change === how ? [sha] : [])) ?? [];
  const { explained, unexplained, crash, hitLimit, widest } = outcome;
  return {
    ...header,
    trace,
    design: design.name,
    commits: explaining && { applied: changed("applied"), reverted: changed("reverted"), tried: explaining.tried },
    records: scope.records,
    inScope: scope.happenings.length,
    explained,
    calls: scope.happenings.filter(({ entry }) => entry !== null).length,
    widest,
    assumed: scope.assumptions.map(({ entry: { call, device } }) => {
      const text = call
        .replace(/^driver: was bound, (\w+)/, "a $1 driver was bound")
        .replace(/^pci_dma_configure: (\w+)/, "pci_dma_configure of a $1 driver");
      return `${text}: ${device}`;
    }),
    crash,
    firstUnexplained:
      unexplained === null ? null : jsonUnexplained(scope.happenings, unexplained, (view) => objectText(machine, unexplained, view)),
    outOfScope: scope.outOfScope,
    mayBeUnrecorded: [...MAY_BE_INLINED],
    lost: lost === null ? null : { line: lost.location?.line ?? 0, what: lost.message },
    exitCode: unexplained !== null ? 1 : hitLimit || lost !== null ? 3 : 0,
  };
}

function jsonUnexplained(happenings: readonly Happening[], unexplained: Unexplained, told: (view: StructView) => string): JsonUnexplained {
  const { record, allowed } = unexplained;
  const before = happenings.slice(Math.max(0, record.index - SHOWN_BEFORE), record.index);
  return {
    line: record.record.line,
    task: record.record.task,
    pid: record.record.pid,
    record: recordText(record.record),
    before: before.map(({ record }) => `${record.task}-${record.pid} ${recordText(record)}`),
    allowed: distinct(allowed),
    state: concerned(unexplained).map(told),
  };
}

function distinct(allowed: readonly Mismatch[]): { event: string; why: string }[] {
  const told = new Map(allowed.map(({ event, why }) => [`${event} ${why}`, { event, why }]));
  return [...told.values()];
}

/** `iommu_attach_group(grp = 0xff…, gid = 14) {`, `} = -16 /* iommu_attach_group *\/`. */
function recordText({ kind, event, fields }: TraceRecord): string {
  const { ret, r, ...others } = fields;
  const args = Object.entries(others)
    .flatMap(([name, value]) => (value === null ? [] : [`${name} = ${value}`]))
    .join(", ");
  if (kind === "call") return `${event}(${args}) {`;
  return kind === "return" ? `} = ${ret ?? r ?? ""} /* ${event} */` : `/* ${event}: ${args} */`;
}

/** The group and the device that the record names, as far as the model knows which they are. */
function concerned({ record: { facts }, bindings, device }: Unexplained): StructView[] {
  const { pointer, id } = facts.group;
  const group = (pointer === null ? undefined : bindings.get("group", pointer)) ?? (id === null ? undefined : bindings.get("group id", id));
  return [group, device].filter((view): view is StructView => view !== undefined && view !== null);
}

/** Fields of the kernel's that decide what may happen, of the structs that a record may name. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  iommu_group: ["domain", "default_domain", "blocking_domain", "owner", "owner_cnt", "recovery_cnt", "devices", "mutex"],
  device: ["iommu_group", "hw", "driver", "is_bound"],
};

/** `iommu_group16: domain = iommu_domain3 (0xff…), owner = NULL, …`. */
function objectText({ names, layout }: Validation["machine"], { state, bindings }: Unexplained, view: StructView): string {
  const fields = (TOLD[view.$struct.name] ?? []).map((name) => {
    const field = view.$struct.field(name);
    const first = layout.fieldCell(field, view.$index);
    const cells = Array.from({ length: layout.width(field) }, (_, offset) => first + offset);
    const values = cells.flatMap((cell) => {
      const code = readCell(layout, state, cell);
      if (field.spec.kind === "list" && code === 0) return [];
      const isDomain = field.spec.kind === "ref" && field.spec.to === "iommu_domain" && code !== 0;
      const pointer = isDomain ? bindings.nameOf("domain", field.struct.schema.struct("iommu_domain").view(code - 1)) : undefined;
      return [`${names.code(cell, code)}${pointer === undefined ? "" : ` (${pointer})`}`];
    });
    return `${name} = ${field.spec.kind === "list" ? `[${values.join(", ")}]` : values.join("")}`;
  });
  return `${names.view(view)}: ${fields.join(", ")}`;
}

export function validationText(document: JsonValidation, { style, width }: Look): string {
  const {
    trace,
    design,
    commits,
    records,
    inScope,
    explained,
    calls,
    widest,
    firstUnexplained,
    outOfScope,
    assumed,
    crash,
    lost,
    exitCode,
  } = document;
  const verdict = { 0: style.good("EXPLAINED"), 1: style.bad("NOT EXPLAINED"), 2: "", 3: style.warn("UNFINISHED") }[exitCode];
  const lines = [
    `${verdict}  ${trace} by ${design}: ${explained} of ${counted(inScope, "record")} in scope, of ${records} in all`,
    ...(commits === null ? [] : hanging("  ", commitsText(commits), width)),
    ...hanging("  ", `${counted(calls, "call")} of tasks; the model may have been in ${counted(widest, "state")} at a time at most`, width),
    ...(lost !== null ? hanging("  ", `nothing is said of what comes after line ${lost.line}: ${lost.what}`, width) : []),
    ...(exitCode === 3 && lost === null ? hanging("  ", "more states than are kept were possible at a time (--limit)", width) : []),
    ...(crash === null ? [] : hanging("  ", `the trace ends where the model's thread does: ${crash}`, width)),
    ...(firstUnexplained === null ? [] : unexplainedLines(firstUnexplained, { style, width })),
    "",
    style.bold("not followed"),
    ...outOfScope.flatMap(({ event, count, why }) => hanging(`  ${String(count).padStart(6)}  `, `${event}: ${why}`, width)),
    ...(assumed.length === 0
      ? []
      : ["", style.bold("assumed, since it was not recorded"), ...assumed.flatMap((text) => hanging("  ", text, width))]),
    "",
    ...hanging(
      "",
      `A compiler may have put a call of ${enumerate(document.mayBeUnrecorded)} into its caller, so that it may be without a record.`,
      width,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function commitsText({ applied, reverted, tried }: NonNullable<JsonValidation["commits"]>): string {
  const changes = [...applied.map((sha) => `with ${sha}`), ...reverted.map((sha) => `without ${sha}`)];
  const best = changes.length === 0 ? "the design as it is explains most" : `explained best ${enumerate(changes)}`;
  return `${best}, of ${counted(tried, "set")} of commits`;
}

function unexplainedLines({ line, task, pid, record, before, allowed, state }: JsonUnexplained, { style, width }: Look): string[] {
  return [
    "",
    style.bold("explained before it"),
    ...before.flatMap((text) => hanging("  ", text, width)),
    "",
    style.bold(`not explained: line ${line}, ${task}-${pid}`),
    ...hanging("  ", record, width),
    "",
    style.bold(allowed.length === 0 ? "the model has nobody who could do it" : "what the model could do instead"),
    ...allowed.flatMap(({ event, why }) => hanging("  ", `${event}: ${why}`, width)),
    ...(state.length === 0 ? [] : ["", style.bold("as the model has it"), ...state.flatMap((text) => hanging("  ", text, width))]),
  ];
}
