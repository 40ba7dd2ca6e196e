/** What VT-d's tables say of each requester id that a device may do DMA with. */
import { isFreed, property, windows } from "iommu-mc";
import { linux } from "../models/linux/schema.js";
import { everyMember, usedBy } from "./reach.js";

const { always, atRest } = windows(linux);

export const T2Requester = property({
  code: "T2-requester",
  sentence:
    "With the group's mutex free, DMA with any requester id of its devices is translated by the group's domain or blocked: no entry of another domain is left, and none is cached.",
  source: "device_block_translation(), domain_context_clear() (for every DMA alias); intel_context_flush_no_pasid()",
  seenRedBy:
    "the base (a released sibling has cleared the entry of the bridge's id); linux-6.12 (the context cache is flushed of another id); mutant: VT-d's driver clears a context entry without flushing it",
  window: atRest("iommu_group", "mutex", (group) => {
    if (group.domain === null || group.devices.every(({ dev }) => dev!.requester_ids.length === 0)) return null;
    return everyMember(group, (dev) =>
      dev.requester_ids.every((id) => usedBy(id).every((domain) => domain === null || domain === group.domain)),
    );
  }),
});

export const L2Requester = property({
  code: "L2-requester",
  sentence: "No requester id is translated by a freed domain or page table, by its entry or by what is cached of one.",
  source: "0286300e6045; domain_exit()",
  seenRedBy:
    "the base (a released sibling has cleared the entry of the bridge's id); linux-6.12 (the context cache is flushed of another id)",
  window: always("requester_id", (id) => usedBy(id).every((domain) => domain === null || (!isFreed(domain) && !domain.has_no_pgd))),
});
