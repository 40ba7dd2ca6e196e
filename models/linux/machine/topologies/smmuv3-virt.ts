import type { Topology } from "../topology.js";

/** A QEMU arm64 `virt` machine with SMMUv3: three functions of one device in a group, and a device alone. Recorded under 7.2; the groups are the hardware's. */
export const smmuv3Virt: Topology = {
  name: "smmuv3-virt",
  source: "7.2-smmuv3-dma/topology.json",
  iommu: "arm_smmu_v3",
  groups: [
    { id: 5, devices: [{ name: "0000:00:06.0", driver: "", managed: false }] },
    {
      id: 12,
      devices: [
        { name: "0000:00:0e.0", driver: "e1000", managed: false },
        { name: "0000:00:0e.1", driver: "e1000", managed: false },
        { name: "0000:00:0e.2", driver: "", managed: false },
      ],
    },
  ],
  leftOut: ["15 more groups: the host bridge, six root ports and eight endpoints"],
};
