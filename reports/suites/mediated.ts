/** A container that holds a mediated device without an IOMMU, and gets a group with one. */
import { type Suite, thread } from "iommu-mc";
import { mediated_user } from "../../models/linux/machine/workloads.js";
import { C3Container, C4, L2 } from "../../properties/index.js";
import { bootSuite } from "./on-linux61.js";

/** Entry 50. */
export const mediatedSuites: readonly Suite[] = [
  bootSuite({
    name: "vfio-container/mediated",
    describes:
      "a process with a mediated device and two ranges mapped adds the group of d0, once more if that fails, and leaves; one call may fail",
    iommu: "amd_iommu",
    devices: [{ name: "d0", state: "probed" }],
    owners: 1,
    faults: 1,
    terminates: true,
    more: { iommu_domain: 2, vfio_iommu: 1, vfio_domain: 1, vfio_dma: 2 },
    threads: ({ group, owner }) => [thread("qemu", mediated_user, group("d0"), owner(0))],
    properties: [C3Container, C4, L2],
  }),
];
