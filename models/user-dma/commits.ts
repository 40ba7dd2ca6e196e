import type { Commit } from "iommu-mc";

/** What was proposed in 2021 and is in no kernel, beside the commits of models/linux. These are no shas but names. */
export const proposals: Readonly<Record<string, Commit>> = {
  "ownership-around-probe": {
    subject: "driver core: take the DMA ownership of a device around the whole of really_probe(), in place of its bus",
    since: "none",
    year: 2021,
    needs: ["512881eacfa7"],
  },
  "ownership-at-open": {
    subject: "vfio: take the DMA ownership of a group when a device of it is opened",
    since: "none",
    year: 2021,
    needs: ["70693f470848"],
  },
};
