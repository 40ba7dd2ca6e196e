/** Which of a task's calls are its own doing, so that the model is to do them too, and what it is to do them for. */
import type { Judged } from "./nesting.js";
import type { Entry, Surroundings } from "./scope.js";
import { numberOf } from "./vocabulary.js";

/** What the notifications of a bus are about. */
export type Notified = ReadonlyMap<Judged, { readonly what: Notification; readonly device: string | null }>;

type Notification = "added" | "removed" | "bound" | "gone" | "nothing";

/** By number, from the first. */
const NOTIFICATIONS: readonly Notification[] = ["added", "nothing", "removed", "nothing", "bound", "nothing", "gone", "nothing"];

/** Functions that are called by what is not modelled. */
const CALLED_BY_OTHERS: ReadonlySet<string> = new Set([
  "iommu_device_register",
  "iommu_probe_device",
  "iommu_device_use_default_domain",
  "iommu_device_unuse_default_domain",
  "iommu_group_claim_dma_owner",
  "iommu_group_release_dma_owner",
  "iommu_domain_free",
  "iommu_attach_group",
  "iommu_detach_group",
  "iommu_attach_device",
  "iommu_detach_device",
  "iommu_deferred_attach",
  "iommu_group_store_type",
  "pci_dev_reset_iommu_prepare",
  "pci_dev_reset_iommu_done",
  "pci_dma_cleanup",
  "vfio_iommu_type1_open",
  "vfio_iommu_type1_release",
  "vfio_iommu_type1_attach_group",
  "vfio_iommu_type1_detach_group",
]);

/** Where the bus's notifier is not probed, this is the first that is seen of a device that is added. */
const JOINS: ReadonlySet<string> = new Set(["iommu_init_device", "__iommu_probe_device"]);

/** Functions of kernels that make a domain for a user, all of which the model has as one. */
export const ALLOCATE: ReadonlySet<string> = new Set([
  "iommu_domain_alloc",
  "iommu_paging_domain_alloc",
  "iommu_paging_domain_alloc_flags",
]);

/**
 * A notification has only the device's address. The device is named by what is done for it within, or by what the same task does
 * to it just before or after.
 */
export function notifiedDevices(judged: readonly Judged[], { firstAction }: Surroundings): Notified {
  const notified = new Map<Judged, { what: Notification; device: string | null }>();
  const known = new Map<string, string>();
  const before = new Map<number, string>();
  const waiting = new Map<number, Judged[]>();
  const name = (each: Judged, device: string | null) => {
    const what = NOTIFICATIONS[(numberOf(each.record.fields.action ?? null) ?? -1) - firstAction] ?? "nothing";
    notified.set(each, { what, device });
    if (device !== null) known.set(String(each.record.fields.data), device);
  };
  for (const each of judged) {
    const { record, facts } = each;
    if (record.kind === "call" && record.event === "iommu_bus_notifier") {
      const data = String(record.fields.data);
      const inside = each.inside.find(({ facts }) => facts.dev !== null)?.facts.dev ?? null;
      name(each, inside ?? known.get(data) ?? before.get(record.pid) ?? null);
      if (inside === null && !known.has(data)) waiting.set(record.pid, [...(waiting.get(record.pid) ?? []), each]);
    } else if (record.event === "pci_dma_configure" || record.event === "pci_dma_cleanup") {
      if (facts.dev === null) continue;
      for (const earlier of waiting.get(record.pid) ?? []) if (record.event === "pci_dma_cleanup") name(earlier, facts.dev);
      waiting.delete(record.pid);
      before.set(record.pid, facts.dev);
    }
  }
  return notified;
}

/** What type1 keeps of the container, by calls that are made for one that was opened in the recording. */
export type Containers = ReadonlyMap<Judged, string>;

/** A release names none: it is that which the task's last call of type1 was for. */
export function containersOf(judged: readonly Judged[]): Containers {
  const containers = new Map<Judged, string>();
  const opened = new Set<string>();
  const last = new Map<number, string>();
  for (const each of judged) {
    const { record, facts } = each;
    if (!record.event.startsWith("vfio_iommu_type1_")) continue;
    const data = facts.vfioIommu ?? last.get(record.pid);
    if (data === undefined) continue;
    last.set(record.pid, data);
    if (record.event === "vfio_iommu_type1_open") opened.add(data);
    else if (record.kind === "call" && opened.has(data)) containers.set(each, data);
  }
  return containers;
}

/** Why the call is not followed although its function is modelled; null if it is. */
export function whyNoEntry(each: Judged, notified: Notified, containers: Containers): string | null {
  const { record } = each;
  if (record.kind !== "call") return null;
  const notification = notified.get(each);
  if (notification?.what === "nothing") return "the IOMMU core does nothing at this notification";
  if (notification !== undefined && notification.device === null) return "no record tells of which device";
  if (/^pci_dev_reset_iommu_/.test(record.event) && !each.inside.some(({ record: { kind } }) => kind === "call")) {
    return "does nothing for a device without ATS";
  }
  if (record.event.startsWith("vfio_iommu_type1_") && record.event !== "vfio_iommu_type1_open" && !containers.has(each)) {
    return "of a container from before the recording";
  }
  if (record.event === "iommu_group_store_type" && !WORDS.has(String(each.facts.type).replace(/\\n|\n/g, "")))
    return "writes a word that is no type";
  return null;
}

/** What may be written to a group's `type` file. */
const WORDS: ReadonlySet<string> = new Set(["identity", "DMA", "DMA-FQ", "auto"]);

/**
 * What the model is to do for a call that is within no other; null if it is not one that anybody makes. Where there are no calls but
 * tracepoints only, these are all that is seen of one.
 */
export function entryOf(each: Judged, notified: Notified, containers: Containers, hasTracepointsOnly: boolean): Entry | null {
  const { record } = each;
  const facts = { ...each.facts, vfioIommu: containers.get(each) ?? null };
  if (record.kind === "tracepoint" && hasTracepointsOnly) {
    const what = record.event === "add_device_to_group" ? "added" : "removed";
    return { call: `iommu_bus_notifier: ${what}`, facts, device: facts.dev };
  }
  if (record.kind !== "call") return null;
  const notification = notified.get(each);
  if (notification !== undefined) {
    const { what, device } = notification;
    return { call: what === "bound" || what === "gone" ? `driver: ${what}` : `iommu_bus_notifier: ${what}`, facts, device };
  }
  if (record.event === "pci_dma_configure") {
    const isNative = each.inside.some(({ record: { event } }) => event === "iommu_device_use_default_domain");
    return { call: `pci_dma_configure: ${isNative ? "native" : "managed"}`, facts, device: facts.dev };
  }
  if (JOINS.has(record.event)) return { call: "iommu_bus_notifier: added", facts, device: facts.dev };
  if (ALLOCATE.has(record.event)) return { call: "iommu_domain_alloc", facts, device: facts.dev };
  return CALLED_BY_OTHERS.has(record.event) ? { call: record.event, facts, device: facts.dev } : null;
}
