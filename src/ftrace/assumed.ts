/**
 * What nobody recorded. Early in the boot few functions are probed, and while the other probes are installed none is seen: which
 * drivers were bound then, and which had given their device back, is told by what they do later, or by the machine's topology.
 */
import type { Notified } from "./entries.js";
import type { Judged } from "./nesting.js";
import type { Assumption, Surroundings } from "./scope.js";
import { factsOf } from "./vocabulary.js";

/**
 * What has to have happened before the first record of the second part, if the recording began before devices were probed. A driver that
 * uses the DMA API has asked for that, whether or not it was recorded.
 */
export function assumedBetween(
  judged: readonly Judged[],
  places: ReadonlyMap<Judged, number>,
  surroundings: Surroundings,
  notified: Notified,
): Assumption[] {
  const first = judged.find((each) => each.part === 1 && places.has(each));
  const registers = judged.some(({ record, why }) => why === null && record.event === "iommu_device_register");
  const joined = new Set(
    judged.flatMap(({ record, facts, part }) =>
      part === 0 && record.event === "add_device_to_group" && facts.dev !== null ? [facts.dev] : [],
    ),
  );
  if (first === undefined || !(registers || joined.size > 0)) return [];
  const before = places.get(first) as number;
  const uses = judged.flatMap(({ record, part, ends }) =>
    part === 0 && record.kind === "return" && record.event === "iommu_device_use_default_domain" && record.fields.r === 0 && ends?.facts.dev
      ? [ends.facts.dev]
      : [],
  );
  const assumptions: Assumption[] = [];
  const facts = factsOf(first.record);
  for (const device of surroundings.devices) {
    const bound = boundAtFirst(device, judged, surroundings, notified);
    const used = uses.filter((each) => each === device).length;
    const hasAsked = bound === "native" && used === 0 && joined.has(device);
    if (hasAsked) assumptions.push({ before, entry: { call: "pci_dma_configure: native", facts, device } });
    for (let given = bound === "native" ? 1 : 0; given < used; given++) {
      assumptions.push({ before, entry: { call: "iommu_device_unuse_default_domain", facts, device } });
    }
    if (bound !== null) assumptions.push({ before, entry: { call: `driver: was bound, ${bound}`, facts, device } });
  }
  return assumptions;
}

/** Which kind of driver is bound to the device when the second part begins. What is done to it first tells, and otherwise its topology. */
export function boundAtFirst(
  device: string,
  judged: readonly Judged[],
  { driverOf }: Surroundings,
  notified: Notified,
): "native" | "managed" | null {
  for (const each of judged) {
    if (each.part === 0 || each.record.kind !== "call") continue;
    const { record, facts, inside } = each;
    if (record.event === "pci_dma_configure" && facts.dev === device) return null;
    if (record.event === "pci_dma_cleanup" && facts.dev === device) {
      return inside.some(({ record: { event } }) => event === "iommu_device_unuse_default_domain") ? "native" : "managed";
    }
    if (notified.get(each)?.device === device && notified.get(each)?.what === "added") return null;
  }
  return driverOf(device);
}
