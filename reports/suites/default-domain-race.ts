/** Two devices that come at the same time, alone each, and share a group: iommu_probe_device() of v5.8 to v5.17. */
import { type Suite, thread } from "iommu-mc";
import { linux61Without } from "../../models/linux/designs.js";
import { plug } from "../../models/linux/machine/events.js";
import { L2, L4, X2, X3Default } from "../../properties/index.js";
import { type BootSuite, bootSuite, violated } from "./on-linux61.js";

const unlocked = violated(
  "iommu_probe_device() of 5.15 looks at the group's default domain without the mutex that its allocation is under; 556f99ac8866 (v5.17) holds that throughout",
);

export const twoAtOnce: Omit<BootSuite, "name"> = {
  describes: "d0 and d1, which share a requester id, are plugged in at the same time",
  iommu: "intel_iommu",
  devices: [
    { name: "d0", state: "absent", aliases: ["d1"] },
    { name: "d1", state: "absent", aliases: ["d0"] },
  ],
  terminates: true,
  threads: ({ device }) => [thread("slot0", plug, device("d0")), thread("slot1", plug, device("d1"))],
  properties: [L2, L4, X2, X3Default],
};

export const defaultDomainRaceSuites: readonly Suite[] = [
  bootSuite({ name: "default-domain/two-at-once", ...twoAtOnce }),
  bootSuite({
    name: "default-domain/two-at-once-of-5.15",
    design: linux61Without("linux-6.1-probe-of-5.15", "556f99ac8866"),
    ...twoAtOnce,
    expected: { "guarded-by": unlocked },
  }),
];
