import { context } from "./context.js";
import type { ListView } from "./schema.js";
import { slotOf } from "./schema.js";

/** Adds the entry at the end. An entry that is on the list already would corrupt it: a `bug-on` finding, as with CONFIG_DEBUG_LIST. */
export function list_add_tail<V extends object>(entry: V, list: ListView<V>): void {
  insert(entry, list, list.length);
}

/** Adds the entry at the front. */
export function list_add<V extends object>(entry: V, list: ListView<V>): void {
  insert(entry, list, 0);
}

/** Takes the entry out. One that is not on the list would corrupt it: a `bug-on` finding. */
export function list_del<V extends object>(entry: V, list: ListView<V>): void {
  const entries = [...list];
  const position = entries.indexOf(entry);
  if (position < 0) context().fault("bug-on", `list_del: the entry is not on ${name(list)}`);
  entries.splice(position, 1);
  store(list, entries, position, entries.length + 1);
}

export function list_empty<V extends object>(list: ListView<V>): boolean {
  return list.at(0) === null;
}

export function list_is_singular<V extends object>(list: ListView<V>): boolean {
  return list.at(0) !== null && list.at(1) === null;
}

/** The first entry. On an empty list the C gets a pointer to the list head itself: a `null-deref` finding. */
export function list_first_entry<V extends object>(list: ListView<V>): V {
  const first = list.at(0);
  if (first === null) return context().fault("null-deref", `list_first_entry of the empty list ${name(list)}`);
  return first;
}

export function list_first_entry_or_null<V extends object>(list: ListView<V>): V | null {
  return list.at(0);
}

function insert<V extends object>(entry: V, list: ListView<V>, position: number): void {
  const entries = [...list];
  if (entries.includes(entry)) context().fault("bug-on", `list_add: the entry is on ${name(list)} already`);
  entries.splice(position, 0, entry);
  store(list, entries, position, entries.length);
}

function store<V extends object>(list: ListView<V>, entries: readonly V[], from: number, to: number): void {
  const { spec } = list.$field;
  const capacity = spec.kind === "list" ? spec.capacity : 0;
  if (entries.length > capacity) {
    context().fault("model-fault", `${name(list)} holds at most ${capacity} entries; raise the capacity in the schema`);
  }
  for (let position = from; position < to; position++) {
    const entry = entries[position];
    context().write(list.$view, list.$field, position, entry === undefined ? 0 : slotOf(entry) + 1);
  }
}

function name<V extends object>(list: ListView<V>): string {
  return `${list.$field.struct.name}.${list.$field.name}`;
}
