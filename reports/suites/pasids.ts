/** Domains attached to a PASID of the devices of a group, v6.2 to v6.16, put onto 6.1.176. */
import { type Suite, thread } from "iommu-mc";
import type { BootDevice, BootObjects } from "../../models/linux/machine/boot.js";
import { attach_pasid, fault_and_handle, sva_user, use_pasid } from "../../models/linux/machine/users.js";
import { C14, C14Rest, L2, L7, T2Pasid } from "../../properties/index.js";
import { type BootSuite, bootSuite } from "./on-linux61.js";
import { pasids } from "./resets.js";

type OfTwo = Omit<BootSuite, "iommu" | "devices" | "drivers"> & { readonly other?: BootDevice["pasids"] };

/** Two devices of a group, d0 with PASIDs and d1. */
function ofTwo({ name, describes, other = "enough", ...declared }: OfTwo): Suite {
  return bootSuite({
    name: `pasid/${name}`,
    describes,
    design: pasids,
    iommu: "intel_iommu",
    devices: [
      { name: "d0", state: "probed", group: "g", pasids: "enough" },
      { name: "d1", state: "probed", group: "g", pasids: other },
    ],
    users: 1,
    more: { dev_pasid_info: 3, iommu_attach_handle: 1 },
    ...declared,
  });
}

const d0 = (objects: BootObjects) => objects.device("d0");

export const pasidSuites: readonly Suite[] = [
  ofTwo({
    name: "failing-attach",
    describes: "a driver attaches a domain to a PASID of d0, which has to be attached to d1 too, and takes it off; one call may fail",
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("driver", use_pasid, d0(objects))],
    properties: [C14Rest, L2],
  }),
  ofTwo({
    name: "too-few",
    describes: "the same, and d1 has not that many PASIDs",
    other: "too few",
    terminates: true,
    threads: (objects) => [thread("driver", use_pasid, d0(objects))],
    properties: [C14Rest, L2],
  }),
  ofTwo({
    name: "fault-against-attach",
    describes: "a user attaches a domain to a PASID of d0 and d1, while d0 asks for a page; one call may fail",
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("user", attach_pasid, d0(objects)), thread("iopf", fault_and_handle, d0(objects))],
    properties: [C14, C14Rest, L2, L7],
  }),
  bootSuite({
    name: "sva/exit",
    describes: "two processes, one after the other or at the same time, let d0 share their memory by the one PASID that there is, and exit",
    iommu: "arm_smmu_v3",
    devices: [{ name: "d0", state: "probed" }],
    processes: 2,
    terminates: true,
    threads: (objects) => [thread("one", sva_user, objects.mm(0)), thread("other", sva_user, objects.mm(1))],
    properties: [T2Pasid],
  }),
];
