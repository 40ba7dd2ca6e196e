/** Unmapping while a device comes and goes, under Intel's driver with its translation structures: what is flushed by cache tags. */
import { type Design, type Suite, thread } from "iommu-mc";
import { linux72, linux612 } from "../../models/linux/designs.js";
import { iommufd_unmap, iommufd_user_of_page } from "../../models/linux/machine/users.js";
import { C1, K1, L2, L2Requester, staleTranslation, T1, T2, T2Requester } from "../../properties/index.js";
import { bootSuite, everything, violated } from "./on-linux61.js";

/** The tag that a flush goes by is there for a shorter time than the translation. */
const tagTooLate = violated(
  "since 041be2717b19 (v6.10) a domain has its cache tag only when the device is translated by it, and since 1f2557e08a61 (v6.13, which 6.12.107 has) it has lost it while the device still is: an unmap in between finds nothing to flush, and what the IOTLB has loaded stays when the page is given back. iommufd attaches and detaches devices with no lock that an unmap takes",
);

const unmapAgainstAttach = (mode: "intel_legacy" | "intel_scalable", design: Design): Suite =>
  bootSuite({
    name: `cache-tags/unmap-against-attach/${design.name}/${mode}`,
    design,
    describes: "a process gives a device a page table and takes it back, while another thread of it unmaps a page",
    iommu: mode,
    probedBy612: true,
    domainIds: 2,
    devices: [{ name: "d0", state: "probed", group: "g", driver: "stub", bound: true }],
    drivers: [{ name: "stub", kind: "stub" }],
    iommufds: 1,
    terminates: true,
    threads: (objects) => [
      thread("qemu", iommufd_user_of_page, objects.iommufd(0), objects.device("d0"), objects.page(0)),
      thread("unmap", iommufd_unmap, objects.iommufd(0), objects.page(0)),
    ],
    properties: [C1, K1, L2, L2Requester, T1, T2, T2Requester, staleTranslation],
    expected: everything(tagTooLate, "K1", "T1"),
  });

export const cacheTagSuites: readonly Suite[] = [linux612, linux72].flatMap((design) =>
  (["intel_legacy", "intel_scalable"] as const).map((mode) => unmapAgainstAttach(mode, design)),
);
