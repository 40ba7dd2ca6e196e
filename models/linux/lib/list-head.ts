/**
 * include/linux/list.h and lib/list_debug.c of 6.1.176: lists whose links are part of what they link, for where it matters that
 * an entry may be put on a second list while it is on a first. The language's lists know only their own entries.
 */
import { abstraction, BUG_ON } from "iommu-mc";
import type { ListHead } from "../schema.js";

abstraction(
  "links of lists are checked as with CONFIG_DEBUG_LIST, and a corrupt list is a BUG as with CONFIG_BUG_ON_DATA_CORRUPTION: other kernels go on with it",
  "neither",
);

export function INIT_LIST_HEAD(list: ListHead): void {
  list.next = list;
  list.prev = list;
}

/** lib/list_debug.c line 20. */
function __list_add_valid(entry: ListHead, prev: ListHead, next: ListHead): void {
  BUG_ON(next.prev !== prev, "list_add corruption. next->prev should be prev");
  BUG_ON(prev.next !== next, "list_add corruption. prev->next should be next");
  BUG_ON(entry === prev || entry === next, "list_add double add");
}

/** At the front. That the entry is on another list is not noticed. */
export function list_add(entry: ListHead, head: ListHead): void {
  const next = head.next!;
  __list_add_valid(entry, head, next);
  next.prev = entry;
  entry.next = next;
  entry.prev = head;
  head.next = entry;
}

/** lib/list_debug.c line 42. */
function __list_del_entry_valid(entry: ListHead): void {
  BUG_ON(entry.next === null, "list_del corruption, ->next is LIST_POISON1");
  BUG_ON(entry.prev === null, "list_del corruption, ->prev is LIST_POISON2");
  BUG_ON(entry.prev!.next !== entry, "list_del corruption. prev->next should be the entry");
  BUG_ON(entry.next!.prev !== entry, "list_del corruption. next->prev should be the entry");
}

export function list_del(entry: ListHead): void {
  __list_del_entry_valid(entry);
  const next = entry.next!;
  const prev = entry.prev!;
  next.prev = prev;
  prev.next = next;
  entry.next = null;
  entry.prev = null;
}

export function list_empty(head: ListHead): boolean {
  return head.next === head;
}
