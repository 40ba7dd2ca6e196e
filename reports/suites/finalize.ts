/** What IOMMU drivers do in probe_finalize(). */
import { type Suite, thread } from "iommu-mc";
import { register_and_bind } from "../../models/linux/machine/events.js";
import { L2, L4, V2, X2 } from "../../properties/index.js";
import { bootSuite } from "./on-linux61.js";

/** Entry 24: MediaTek's driver attaches a domain there, which takes the group's mutex. */
export const finalizeSuites: readonly Suite[] = [
  bootSuite({
    name: "finalize/mtk_iommu_v1",
    describes:
      "a MediaTek IOMMU registers, which attaches the domain of a mapping of 32-bit ARM to p0 in probe_finalize(), and then p0's driver is bound",
    iommu: "mtk_iommu_v1",
    registered: 0,
    platformBus: true,
    devices: [{ name: "p0", bus: "platform", state: "added", driver: "mdp" }],
    drivers: [{ name: "mdp", kind: "native" }],
    terminates: true,
    threads: ({ iommu, ops, device, driver }) => [thread("m4u", register_and_bind, iommu(0), ops, device("p0"), driver("mdp"))],
    properties: [L2, L4, V2, X2],
  }),
];
