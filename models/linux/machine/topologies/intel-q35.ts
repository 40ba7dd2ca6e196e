import type { Topology } from "../topology.js";

/** A QEMU q35 machine with Intel VT-d running 6.1.176: one group of four devices behind a conventional bridge, and a device alone. */
export const intelQ35: Topology = {
  name: "intel-q35",
  source: "6.1-intel-dma/topology.json",
  iommu: "intel_iommu",
  groups: [
    { id: 5, devices: [{ name: "0000:00:06.0", driver: "", managed: false }] },
    {
      id: 16,
      devices: [
        { name: "0000:04:00.0", driver: "", managed: false },
        { name: "0000:05:01.0", driver: "e1000", managed: false },
        { name: "0000:05:02.0", driver: "e1000", managed: false },
        { name: "0000:05:03.0", driver: "", managed: false },
      ],
    },
  ],
  leftOut: ["16 more groups: the host bridge, six root ports, eight endpoints, and the three functions of the chipset"],
};
