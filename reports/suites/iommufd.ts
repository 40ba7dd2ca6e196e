/** Users of iommufd, as v7.2 has it, put onto 6.1.176. */
import { type Suite, thread, withCommits } from "iommu-mc";
import type { BootObjects } from "../../models/linux/machine/boot.js";
import { destroy_page_table, iommufd_attach_once, iommufd_user, reset_function, use_page_table } from "../../models/linux/machine/users.js";
import { bind_and_unbind } from "../../models/linux/machine/workloads.js";
import { C1, C3Replace, C16, K1, L2, L7, O1, O2, O6, O7 } from "../../properties/index.js";
import { type BootSuite, bootSuite, violated } from "./on-linux61.js";
import { resets } from "./resets.js";

const iommufd = withCommits(resets, "6f9c4d8c468c");

/** Read in 6.1.176 and in 7.2.13; SMMUv3's driver of 7.2.13, unlike that of 6.1, leaves the old domain only when nothing can fail any more. */
const leavesFirst = {
  intel_iommu:
    "intel_iommu_attach_device() blocks the device before it knows whether the new domain will do (device_block_translation() comes before paging_domain_compatible() in 7.2.13)",
  amd_iommu: "amd_iommu_attach_device() detaches the device before attach_device() can fail (in 7.2.13 too)",
} as const;

const leftBlocked = (iommu: keyof typeof leavesFirst) =>
  violated(
    `${leavesFirst[iommu]}, and since 2b33598e666d (v6.19) the core does not put back the device that failed: the group says it is on the old domain, and the device is blocked`,
  );

type OfTwo = Omit<BootSuite, "iommu" | "devices" | "drivers"> & Partial<Pick<BootSuite, "iommu">> & { readonly lent?: boolean };

/** Two devices of a group: d0, whose driver leaves it to a user, and d1, with a driver that uses the DMA API, or that leaves it to the user (`lent`). */
function ofTwo({ name, describes, lent = false, ...declared }: OfTwo): Suite {
  return bootSuite({
    name: `iommufd/${name}`,
    describes,
    design: iommufd,
    iommu: "intel_iommu",
    devices: [
      { name: "d0", state: "probed", group: "g", driver: "stub", bound: true },
      { name: "d1", state: "probed", group: "g", driver: lent ? "stub" : "net", bound: lent },
    ],
    drivers: [
      { name: "stub", kind: "stub" },
      { name: "net", kind: "native" },
    ],
    iommufds: 1,
    ...declared,
  });
}

const d0 = (objects: BootObjects) => objects.device("d0");
const d1 = (objects: BootObjects) => objects.device("d1");

export const iommufdSuites: readonly Suite[] = [
  ofTwo({
    name: "put-object",
    describes: "two threads of a process name the same page table, one of them to destroy it",
    terminates: true,
    threads: (objects) => [
      thread("ioctl", use_page_table, objects.iommufd(0), d0(objects).bus!),
      thread("destroy", destroy_page_table, objects.iommufd(0)),
    ],
    properties: [L2],
  }),
  ofTwo({
    name: "replace-against-bind",
    describes: "a process gives d0 one page table and then another, while d1's driver is bound and unbound",
    terminates: true,
    threads: (objects) => [
      thread("qemu", iommufd_user, objects.iommufd(0), d0(objects)),
      thread("udev", bind_and_unbind, d1(objects), objects.driver("net")),
    ],
    properties: [C1, K1, L2, L7, O1, O2, O6, O7],
  }),
  ...(["intel_iommu", "amd_iommu"] as const).map((iommu) =>
    ofTwo({
      name: `failing-replace/${iommu}`,
      describes: "a process gives d0 one page table and then another; one call may fail",
      iommu,
      faults: 1,
      terminates: true,
      threads: (objects) => [thread("qemu", iommufd_user, objects.iommufd(0), d0(objects))],
      properties: [C3Replace, L2, L7, O7],
      expected: { "C3-replace": leftBlocked(iommu) },
    }),
  ),
  ofTwo({
    name: "two-devices",
    describes: "a process gives d0 one page table and then another, while another thread of it gives d1 the other",
    lent: true,
    terminates: true,
    threads: (objects) => [
      thread("qemu", iommufd_user, objects.iommufd(0), d0(objects)),
      thread("vcpu", iommufd_attach_once, objects.iommufd(0), d1(objects), 1),
    ],
    properties: [C1, K1, L2, L7, O2, O6, O7],
  }),
  ofTwo({
    name: "replace-against-reset",
    describes: "a process gives d0 one page table and then another, while d1 is reset",
    terminates: true,
    threads: (objects) => [thread("qemu", iommufd_user, objects.iommufd(0), d0(objects)), thread("sysfs", reset_function, d1(objects))],
    properties: [C1, C16, L2, L7, O2, O7],
  }),
];
