/** PCI resets of v7.0 to v7.2, put onto 6.1.176, beside whoever changes the domain of the group. */
import { type Suite, thread, withCommits } from "iommu-mc";
import { linux61 } from "../../models/linux/designs.js";
import type { BootObjects } from "../../models/linux/machine/boot.js";
import { cxl_reset_bus_function, reset_again, reset_function, use_pasid } from "../../models/linux/machine/users.js";
import { attach_own_domain, claim_and_release } from "../../models/linux/machine/workloads.js";
import { C1, C4, C14Rest, C16, L2, O2, O7 } from "../../properties/index.js";
import { type BootSuite, bootSuite } from "./on-linux61.js";

/** PASIDs as in v6.16: with what had been mended since they came. */
export const pasids = withCommits(
  linux61,
  "1b932ceddd19",
  "dcf40ed3a20d",
  "ecd60dc5d22b",
  "4c8ad9da0566",
  "dd8a25c557e1",
  "d257344c6619",
  "a48ce36e2786",
  "16603704559c",
  "89395ccedbc1",
  "c404f55c26fc",
  "b025dea63cde",
  "8519e689834a",
  "5e9f822c9c68",
  "b3f6fcd8404f",
);

/** Resets as in v7.1. */
export const resets = withCommits(
  pasids,
  "dba9ca9d41f5",
  "2b33598e666d",
  "5d5388b0e190",
  "c279e83953d9",
  "d769711fcddd",
  "b296ca1fb43a",
  "1615e8896a8f",
  "0d5fd7a9323c",
  "fc3523b16d2b",
  "5474e6e17a26",
);

type Reset = Omit<BootSuite, "iommu" | "devices" | "drivers"> & { readonly devices?: 1 | 2; readonly pasids?: "enough" | "none" };

/** One device d0 that no driver is bound to, or two of one group. */
function reset({ name, describes, devices = 1, pasids: has = "none", ...declared }: Reset): Suite {
  return bootSuite({
    name: `reset/${name}`,
    describes,
    design: resets,
    iommu: "intel_iommu",
    devices: ["d0", "d1"].slice(0, devices).map((dev) => ({ name: dev, state: "probed", group: "g", pasids: has })),
    ...declared,
  });
}

const d0 = (objects: BootObjects) => objects.device("d0");
const d1 = (objects: BootObjects) => objects.device("d1");

export const resetSuites: readonly Suite[] = [
  reset({
    name: "against-detach",
    describes: "a user claims d0's group, attaches a domain of its own and takes it off, while d0 is reset",
    owners: 1,
    users: 1,
    threads: (objects) => [thread("sysfs", reset_again, d0(objects)), thread("user", claim_and_release, d0(objects), objects.owner(0))],
    properties: [C1, C4, C16, L2, O2, O7],
  }),
  reset({
    name: "against-detach-of-sibling",
    describes: "the same, and d0's group has another device",
    devices: 2,
    owners: 1,
    users: 1,
    threads: (objects) => [thread("sysfs", reset_again, d0(objects)), thread("user", claim_and_release, d1(objects), objects.owner(0))],
    properties: [C1, C4, C16, L2, O2, O7],
  }),
  reset({
    name: "two-of-a-group",
    describes: "two devices of a group are reset at the same time",
    devices: 2,
    terminates: true,
    threads: (objects) => [thread("sysfs0", reset_function, d0(objects)), thread("sysfs1", reset_function, d1(objects))],
    properties: [C1, C16],
  }),
  reset({
    name: "nested",
    describes: "d0 is reset by a function that calls another that resets it",
    terminates: true,
    threads: (objects) => [thread("sysfs", cxl_reset_bus_function, d0(objects))],
    properties: [C1, C16],
  }),
  reset({
    name: "nested-against-domain",
    describes: "the same, while d0's driver puts it on a domain of its own and back",
    terminates: true,
    users: 1,
    threads: (objects) => [thread("sysfs", cxl_reset_bus_function, d0(objects)), thread("driver", attach_own_domain, d0(objects), "group")],
    properties: [C1, C16, L2],
  }),
  reset({
    name: "no-default-domain",
    describes: "the default domain of d0 could not be allocated at boot; d0 is reset",
    terminates: true,
    defaultDomain: "none",
    threads: (objects) => [thread("sysfs", reset_function, d0(objects))],
    properties: [C1, C16],
  }),
  reset({
    name: "pasid-against-resets",
    describes: "two devices of a group are reset at the same time, while a driver attaches a domain to a PASID and takes it off",
    devices: 2,
    pasids: "enough",
    terminates: true,
    users: 1,
    more: { dev_pasid_info: 4, iommu_attach_handle: 1 },
    threads: (objects) => [
      thread("sysfs0", reset_function, d0(objects)),
      thread("sysfs1", reset_function, d1(objects)),
      thread("driver", use_pasid, d0(objects)),
    ],
    properties: [C1, C14Rest, C16, L2],
  }),
  reset({
    name: "pasid-against-reset",
    describes: "d0 is reset while its driver attaches a domain to a PASID and takes it off",
    pasids: "enough",
    terminates: true,
    users: 1,
    more: { dev_pasid_info: 2, iommu_attach_handle: 1 },
    threads: (objects) => [thread("sysfs", reset_function, d0(objects)), thread("driver", use_pasid, d0(objects))],
    properties: [C1, C14Rest, C16, L2],
  }),
];
