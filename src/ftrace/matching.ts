/** Whether what a block of the model does is what a task's next records say, and which pointers stand for which objects if so. */
import { StructView } from "../lang/schema.js";
import type { Names } from "../state/names.js";
import { readCell, type State } from "../state/state.js";
import type { BlockEvent } from "../step/block.js";
import type { Machine } from "../step/machine.js";
import type { Bindings } from "./bindings.js";
import type { Happening } from "./scope.js";
import { MAX_ERRNO, MAY_BE_INLINED, type RecordedDomain, type RecordedGroup, TRACEPOINTS, UNDER_MUTEX } from "./vocabulary.js";

/** How far a task has come, and what is known by then. */
export interface Position {
  /** Number of the task's records that have been explained. */
  readonly next: number;
  readonly bindings: Bindings;
  /** Calls under way of procedures that are probed, outermost first. */
  readonly open: readonly OpenCall[];
}

interface OpenCall {
  readonly depth: number;
  readonly parameters: readonly unknown[];
  /** Not if it is one that may be without a record, and is. */
  readonly isRecorded: boolean;
}

/** The position after a block. */
export interface Matched extends Position {
  /** Number of the task's records that were explained when the block first took a mutex, and when it last gave one back; null if it did not. */
  readonly lockedBefore: number | null;
  readonly unlockedAfter: number | null;
}

/** Why an event of the model is not what the record says. */
export interface Mismatch {
  /** The record that came instead; null if there is none left. */
  readonly record: Happening | null;
  /** What the model does, and what is wrong with it. */
  readonly event: string;
  readonly why: string;
}

/** What the records of a task are compared with. */
export interface Comparison {
  readonly machine: Machine;
  readonly before: State;
  /** Null where the block came to no end. */
  readonly after: State | null;
  /** Nobody else is doing anything, so that no state in a record can be old. */
  readonly isAlone: boolean;
  /** The trace ends before the call returns: what the model does after the task's last record nobody has recorded. */
  readonly isOpen: boolean;
  /** Addresses of domains of which a driver has one for all its devices, where the model may have one for each group. */
  readonly shared: ReadonlySet<string>;
}

type Call = Extract<BlockEvent, { kind: "call" }>;

/** The position after the block's events, or what is wrong. */
export function match(
  comparison: Comparison,
  events: readonly BlockEvent[],
  records: readonly Happening[],
  from: Position,
): Matched | Mismatch {
  let position = from;
  let lockedBefore: number | null = null;
  let unlockedAfter: number | null = null;
  for (const event of events) {
    if (event.kind === "lock") lockedBefore ??= position.next;
    if (event.kind === "unlock") unlockedAfter = position.next;
    if (comparison.isOpen && position.next === records.length) break;
    const next = step(comparison, event, records, position);
    if ("why" in next) return next;
    position = next;
  }
  return { ...position, lockedBefore, unlockedAfter };
}

function step(comparison: Comparison, event: BlockEvent, records: readonly Happening[], position: Position): Position | Mismatch {
  switch (event.kind) {
    case "call":
      return call(comparison, event, records, position);
    case "return":
      return result(comparison, event, records, position);
    case "observe":
      return observed(comparison, event, records, position);
    default:
      return position;
  }
}

function call(comparison: Comparison, event: Call, records: readonly Happening[], position: Position): Position | Mismatch {
  const { procedure, parameters, depth } = event;
  const record = records[position.next] ?? null;
  const probes = (record ?? records.at(-1))?.probes;
  const opened = (isRecorded: boolean) => ({ ...position, open: [...position.open, { depth, parameters, isRecorded }] });
  if (probes === undefined || !probes.calls.has(procedure)) return probes?.returns.has(procedure) ? opened(true) : position;
  const text = `${procedure}(${parameters.map((each) => comparison.machine.names.value(each)).join(", ")})`;
  const isIt = record !== null && record.record.kind === "call" && record.procedure === procedure;
  const told = isIt ? sameArguments(comparison, record, parameters, position.bindings) : "is not what was recorded";
  if (typeof told !== "string") return { ...opened(true), next: position.next + 1, bindings: told };
  return MAY_BE_INLINED.has(procedure) ? opened(false) : { record, event: text, why: told };
}

function result(
  comparison: Comparison,
  event: Extract<BlockEvent, { kind: "return" }>,
  records: readonly Happening[],
  position: Position,
): Position | Mismatch {
  const { procedure, depth } = event;
  const called = position.open.at(-1);
  if (called?.depth !== depth) return position;
  const closed = { ...position, open: position.open.slice(0, -1) };
  const record = records[position.next] ?? null;
  const probes = (record ?? records.at(-1))?.probes;
  if (!called.isRecorded || probes === undefined || !probes.returns.has(procedure)) return closed;
  const text = `${procedure}() = ${comparison.machine.names.value(event.result)}`;
  if (record === null || record.record.kind !== "return" || record.procedure !== procedure) {
    return { record, event: text, why: "is not what was recorded" };
  }
  const told = sameResult(comparison, record, called.parameters, event.result, position.bindings);
  return typeof told === "string" ? { record, event: text, why: told } : { ...closed, next: position.next + 1, bindings: told };
}

function observed(
  comparison: Comparison,
  { event, values }: Extract<BlockEvent, { kind: "observe" }>,
  records: readonly Happening[],
  position: Position,
): Position | Mismatch {
  const record = records[position.next] ?? null;
  const probes = (record ?? records.at(-1))?.probes;
  if (!TRACEPOINTS.has(event) || probes === undefined || !probes.calls.has(event)) return position;
  const text = `${event}(${values.map((each) => comparison.machine.names.value(each)).join(", ")})`;
  if (record === null || record.record.kind !== "tracepoint" || record.procedure !== event) {
    return { record, event: text, why: "is not what was recorded" };
  }
  const told = sameArguments(comparison, record, values, position.bindings);
  return typeof told === "string" ? { record, event: text, why: told } : { ...position, next: position.next + 1, bindings: told };
}

/** The bindings with which the record's fields are the arguments, or what differs. */
function sameArguments(
  comparison: Comparison,
  { record, facts }: Happening,
  args: readonly unknown[],
  bindings: Bindings,
): Bindings | string {
  const { names } = comparison.machine;
  const dev = first(args, "device");
  const domain = first(args, "iommu_domain");
  if (facts.dev !== null && dev !== null && names.view(dev) !== facts.dev) return `is of ${names.view(dev)}, and not of ${facts.dev}`;
  const wanted = facts.newDomain ?? facts.domain;
  let known: Bindings | string = bindings;
  if (wanted !== null && (domain !== null || wanted.pointer === NULL)) known = sameDomain(comparison, wanted, domain, known);
  if (typeof known === "string") return known;
  for (const [kind, struct, pointer] of [
    ["table group", "iommu_table_group", facts.tableGroup],
    ["vfio iommu", "vfio_iommu", facts.vfioIommu],
  ] as const) {
    const view = first(args, struct);
    if (view === null || pointer === null) continue;
    known = known.unified(kind, pointer, view) ?? `is of ${names.view(view)}, and not of ${pointer}`;
    if (typeof known === "string") return known;
  }
  const type = args.find((arg) => typeof arg === "string");
  if (record.event === "iommu_group_alloc_default_domain" && facts.type !== null && facts.type !== type)
    return `asks for ${type}, and not for ${facts.type}`;
  const mustSucceed = args.find((arg) => typeof arg === "boolean");
  if (facts.flags !== null && mustSucceed !== undefined && facts.flags !== Number(mustSucceed)) {
    return `may ${mustSucceed ? "not " : ""}fail, which the record says otherwise`;
  }
  return sameGroupOf(comparison, record.event, facts.group, args, known);
}

/** The same of what a record says of the group that is an argument, or that of the device that is one. */
function sameGroupOf(
  comparison: Comparison,
  event: string,
  told: RecordedGroup,
  args: readonly unknown[],
  bindings: Bindings,
): Bindings | string {
  const dev = first(args, "device");
  const own = told.isOfDevice ? null : first(args, "iommu_group");
  const groups = own !== null ? [own] : dev !== null ? groupsOf(comparison, dev) : [];
  let same: Bindings | string = bindings;
  for (const group of groups) {
    same = isGroup(comparison, event, told, group, bindings);
    if (typeof same !== "string") return same;
  }
  return same;
}

const NULL = "0x0";

/** The states around the block: a record may be of either. */
function statesOf({ before, after }: Comparison): readonly State[] {
  return after === null ? [before] : [before, after];
}

function groupsOf(comparison: Comparison, dev: StructView): ReadonlySet<StructView | null> {
  return new Set(statesOf(comparison).map((state) => pointerOf(comparison.machine, state, dev, "iommu_group")));
}

function isGroup(
  comparison: Comparison,
  event: string,
  told: RecordedGroup,
  group: StructView | null,
  bindings: Bindings,
): Bindings | string {
  const { machine, isAlone } = comparison;
  if (told.pointer === NULL || group === null) {
    const isSame = (told.pointer === NULL || (told.pointer === null && told.id === null)) === (group === null);
    return isSame || (told.pointer === null && told.id === null)
      ? bindings
      : `has ${group === null ? "no group" : `group ${machine.names.view(group)}`}, and in the record ${told.pointer === NULL ? "none" : `group ${told.id ?? told.pointer}`}`;
  }
  let known: Bindings | null = bindings;
  if (told.pointer !== null) known = known.unified("group", told.pointer, group);
  if (known !== null && told.id !== null) known = known.unified("group id", told.id, group);
  if (known === null) return `is of ${machine.names.view(group)}, which is not group ${told.id ?? told.pointer} of the record`;
  if (!isAlone && !UNDER_MUTEX.has(event)) return known;
  return sameState(comparison, told, group, known);
}

/** Whether the record's state of the group is the model's, before the block or after it. */
function sameState(comparison: Comparison, told: RecordedGroup, group: StructView, bindings: Bindings): Bindings | string {
  const { machine } = comparison;
  const states = statesOf(comparison);
  let known = bindings;
  for (const [name, pointer] of Object.entries(told.domains)) {
    const values = [...new Set(states.map((state) => pointerOf(machine, state, group, name)))];
    const fitting = values
      .map((domain) => sameDomain(comparison, { pointer, type: null }, domain, known))
      .find((each) => typeof each !== "string");
    if (fitting === undefined) {
      const own = values.map((value) => machine.names.value(value)).join(" or ");
      return `finds ${machine.names.view(group)}.${name} = ${own}, and in the record it is ${pointer === NULL ? "NULL" : called(pointer, known, machine.names)}`;
    }
    known = fitting as Bindings;
  }
  for (const name of ["owner_cnt", "recovery_cnt"] as const) {
    const value = told[name];
    if (value === null) continue;
    const values = states.map((state) => codeOf(machine, state, group, name));
    if (!values.includes(value))
      return `finds ${machine.names.view(group)}.${name} = ${[...new Set(values)].join(" or ")}, and in the record it is ${value}`;
  }
  const owners = states.map((state) => codeOf(machine, state, group, "owner") !== 0);
  if (told.owner !== null && !owners.includes(told.owner !== NULL)) {
    return `finds ${machine.names.view(group)} with${owners[0] ? "" : "out"} an owner, and in the record it has ${told.owner === NULL ? "none" : "one"}`;
  }
  return known;
}

function called(pointer: string, bindings: Bindings, names: Names): string {
  const view = bindings.get("domain", pointer);
  return view === undefined ? `${pointer}, not seen before` : `${pointer}, which is ${names.view(view)}`;
}

function sameDomain(comparison: Comparison, told: RecordedDomain, domain: StructView | null, bindings: Bindings): Bindings | string {
  const { machine, shared } = comparison;
  const { names } = machine;
  if (told.pointer === NULL || domain === null) {
    return (told.pointer === NULL) === (domain === null)
      ? bindings
      : `is with ${names.value(domain)}, and in the record with ${told.pointer === NULL ? "NULL" : called(told.pointer, bindings, names)}`;
  }
  const types = typesOf(comparison, domain);
  if (told.type !== null && !types.includes(told.type))
    return `is with ${names.view(domain)}, of type ${types[0]}, and in the record the type is ${told.type}`;
  if (shared.has(told.pointer)) {
    return types.some((type) => type === "BLOCKED" || type === "IDENTITY")
      ? bindings
      : `is with ${names.view(domain)}, and in the record with a domain of the driver for all devices`;
  }
  return (
    bindings.unified("domain", told.pointer, domain) ??
    `is with ${names.view(domain)} (${bindings.nameOf("domain", domain) ?? "not seen before"}), and in the record with ${called(told.pointer, bindings, names)}`
  );
}

/** The domain's type before and after the block; that of a group's blocking domain, which drivers may have one of for all, is BLOCKED too. */
function typesOf(comparison: Comparison, domain: StructView): string[] {
  const { machine, shared } = comparison;
  const states = statesOf(comparison);
  const field = domain.$struct.field("type");
  const types = states.map((state) =>
    machine.names.code(machine.layout.fieldCell(field, domain.$index), codeOf(machine, state, domain, "type")),
  );
  const groups = domain.$struct.schema.struct("iommu_group");
  const isBlocking = states.some((state) =>
    Array.from({ length: machine.layout.slots(groups) }, (_, slot) =>
      pointerOf(machine, state, groups.view(slot), "blocking_domain"),
    ).includes(domain),
  );
  return isBlocking && shared.size > 0 ? [...types, "BLOCKED"] : types;
}

/** The bindings with which the record's result is this one, or what differs. Of results that are no errno, object or NULL nothing is asked. */
function sameResult(
  comparison: Comparison,
  { facts, record }: Happening,
  args: readonly unknown[],
  value: unknown,
  bindings: Bindings,
): Bindings | string {
  const { names } = comparison.machine;
  const { result, domain } = facts;
  const hasFailed = typeof result === "number" && result < 0 && result >= -MAX_ERRNO;
  let known: Bindings | string | null = bindings;
  if (typeof value === "number" || hasFailed) {
    // A write to a file returns how much of it was taken.
    const counts = record.event === "iommu_group_store_type";
    const own = typeof value === "number" ? value : 0;
    const recorded = hasFailed || (typeof result === "number" && !counts) ? result : 0;
    if (own !== recorded) return `ends with ${names.value(own)}, and in the record with ${names.value(recorded)}`;
  } else if (value instanceof StructView && value.$struct.name === "iommu_group") {
    const id = facts.resultId ?? facts.group.id;
    if (typeof result === "string") known = known.unified("group", result, value);
    if (known !== null && id !== null) known = known.unified("group id", id, value);
    // What else such a record tells is of the device's group, which it has not yet.
    return known ?? `ends with ${names.view(value)}, which is not group ${id ?? result}`;
  } else if (facts.vfioIommu !== null && (value === null || value instanceof StructView)) {
    const isNull = facts.vfioIommu === NULL;
    known = value === null || isNull ? known : known.unified("vfio iommu", facts.vfioIommu, value);
    if (known === null || isNull !== (value === null)) return `ends with ${names.value(value)}, and in the record with ${facts.vfioIommu}`;
  } else if (domain !== null && (value === null || (value instanceof StructView && value.$struct.name === "iommu_domain"))) {
    known = sameDomain(comparison, domain, value as StructView | null, bindings);
  }
  return typeof known === "string" ? known : sameGroupOf(comparison, record.event, facts.group, args, known as Bindings);
}

function first(values: readonly unknown[], struct: string): StructView | null {
  return values.find((value): value is StructView => value instanceof StructView && value.$struct.name === struct) ?? null;
}

/** What an object's field points to. */
export function pointerOf(machine: Machine, state: State, view: StructView, name: string): StructView | null {
  const field = view.$struct.field(name);
  const code = codeOf(machine, state, view, name);
  return code === 0 || field.spec.kind !== "ref" ? null : view.$struct.schema.struct(field.spec.to).view(code - 1);
}

function codeOf(machine: Machine, state: State, view: StructView, name: string): number {
  return readCell(machine.layout, state, machine.layout.fieldCell(view.$struct.field(name), view.$index));
}
