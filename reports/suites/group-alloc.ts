/** Making a group, with its id, its kobjects and its files, each of which may fail. */
import { type Suite, thread } from "iommu-mc";
import { linux61Without } from "../../models/linux/designs.js";
import { plug } from "../../models/linux/machine/events.js";
import { make_two_groups } from "../../models/linux/machine/workloads.js";
import { L3, L3Id } from "../../properties/index.js";
import { type BootSuite, bootSuite, everything, violated } from "./on-linux61.js";

/** Entry 32: what the fix of entry 31 made of the error path. */
const freedTwice = violated(
  "where adding the kobject fails, iommu_group_alloc() frees the id and then drops the kobject, whose release frees it again, although it may be another group's by now; fixed by bf75eb44e11b (v6.1)",
);

const groups: Omit<BootSuite, "name"> = {
  describes: "d0 is plugged in, and VFIO makes two groups for devices that have no IOMMU, and gives them up; one call may fail",
  iommu: "amd_iommu",
  groupIds: true,
  faults: 1,
  terminates: true,
  devices: [{ name: "d0", state: "absent" }],
  more: { iommu_group: 2 },
  threads: ({ device }) => [thread("slot0", plug, device("d0")), thread("noiommu", make_two_groups)],
  properties: [L3, L3Id],
};

export const groupAllocSuites: readonly Suite[] = [
  bootSuite({ name: "group-alloc/failing", ...groups }),
  bootSuite({
    name: "group-alloc/freed-twice",
    design: linux61Without("linux-6.1-group-alloc-of-5.7", "bf75eb44e11b"),
    ...groups,
    expected: everything(freedTwice, "L3-id", "warn-on"),
  }),
];
