/** The DMA API of 6.1.176 with pages, IOVAs and an IOTLB: strict and lazy unmapping, and who gets a domain's id next. */
import { type Suite, thread } from "iommu-mc";
import { linux61Without } from "../../models/linux/designs.js";
import { fq_flush_timeout } from "../../models/linux/iommu/dma-map.js";
import type { BootDevice, BootObjects } from "../../models/linux/machine/boot.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import { bind_once, unregister_iommu, write_type } from "../../models/linux/machine/events.js";
import { stream, transmit } from "../../models/linux/machine/native.js";
import { bind_and_stream, type1_user } from "../../models/linux/machine/workloads.js";
import { C1, K1, L2, O5, staleTranslation, T1, T2, T3Queue, T5, T6, X3 } from "../../properties/index.js";
import { type BootSuite, bootSuite, everything, violated } from "./on-linux61.js";
import { unlockedDmaOps } from "./ownership-on.js";

type Dma = Omit<BootSuite, "iommu" | "devices"> & Partial<Pick<BootSuite, "iommu" | "devices">> & { readonly device?: Partial<BootDevice> };

const infoFreed = violated(
  "intel_flush_iotlb_all() of 6.1 walks domain->iommu_array without a lock, and domain_detach_iommu() frees its entries at once: the flush queue's timer of a default domain that a device is just leaving reads a freed iommu_domain_info; v6.10 flushes by cache tags, under a lock",
);

const opsSurvive = violated(
  "iommu_release_device() of 6.1 leaves a device its DMA ops on arm64, and dma-iommu then looks for the default domain of a group that the device has lost; 280e5a301005 (v6.15) takes them away",
);

/** One device d0 behind one IOMMU, whose group is on its default domain. */
export function dma({ name, device = {}, ...declared }: Dma): Suite {
  return bootSuite({
    name: `dma/${name}`,
    iommu: "intel_iommu",
    domainIds: 3,
    devices: [{ name: "d0", state: "probed", driver: "net", ...device }],
    drivers: [{ name: "net", kind: "native" }],
    ...declared,
  });
}

const d0 = (objects: BootObjects) => objects.device("d0");
const net = (objects: BootObjects) => objects.driver("net");
const timer = () => thread("timer", fq_flush_timeout);

type Scene = Omit<Dma, "name">;

export const strict: Scene = {
  describes: "two CPUs transfer a page each for d0, again and again; a mapping may fail",
  pages: 2,
  faults: 1,
  device: { bound: true },
  threads: (objects) => [
    thread("cpu0", stream, d0(objects), objects.page(0), null, 0),
    thread("cpu1", stream, d0(objects), objects.page(1), null, 1),
  ],
  properties: [T1, T6, staleTranslation],
};

/** A CPU, and the timer that flushes for it. */
export const lazy: Scene = {
  describes: "a CPU transfers a page for d0, again and again, and the flush queues' timer runs; a mapping may fail",
  defaultType: "DMA_FQ",
  faults: 1,
  device: { bound: true },
  threads: (objects) => [thread("cpu0", stream, d0(objects), objects.page(0), null, 0), timer()],
  properties: [T1, T6, staleTranslation],
};

/** The flush queue of a domain that an external device brings up, which on arm64 binding its driver does. */
export const untrustedUnderLazyPolicy: Scene = {
  describes: "the kernel's policy is lazy; the driver of an external device is bound, transfers a page and is unbound",
  iommu: "arm_smmu_v3",
  defaultType: "DMA_FQ",
  defaultDomain: "DMA",
  device: { untrusted: true },
  threads: (objects) => {
    objects.group("d0").default_domain!.iova_cookie!.is_initialised = false;
    return [thread("driver", bind_and_stream, d0(objects), net(objects), objects.page(0), 0), timer()];
  },
  properties: [C1, T1, T3Queue, staleTranslation],
};

/** The IOVA allocator of a domain that two drivers bring up. */
export const twoInAGroup: Scene = {
  describes: "drivers are bound to two devices of a group at once, whose domain's IOVA allocator is not set up yet",
  iommu: "arm_smmu_v3",
  devices: [
    { name: "d0", state: "probed", driver: "net", group: "g" },
    { name: "d1", state: "probed", driver: "net", group: "g" },
  ],
  threads: (objects) => {
    objects.group("g").default_domain!.iova_cookie!.is_initialised = false;
    return [thread("udev0", bind_once, d0(objects), net(objects)), thread("udev1", bind_once, objects.device("d1"), net(objects))];
  },
  properties: [C1, X3],
};

/** Each IOMMU driver has its own way to flush. */
function onBoth(declared: Dma, expectedOn: Partial<Record<IommuDriver, Dma["expected"]>> = {}): Suite[] {
  return (["intel_iommu", "arm_smmu_v3"] as const).map((iommu) =>
    dma({ ...declared, name: `${declared.name}/${iommu}`, iommu, expected: expectedOn[iommu] ?? {} }),
  );
}

export const dmaSuites: readonly Suite[] = [
  ...onBoth({
    ...strict,
    name: "strict",
  }),
  ...onBoth({
    name: "strict-sg",
    describes: "a CPU transfers two pages at once for d0, again and again; a mapping may fail",
    pages: 2,
    faults: 1,
    device: { bound: true },
    threads: (objects) => [thread("cpu0", stream, d0(objects), objects.page(0), objects.page(1), 0)],
    properties: [T1, T6, staleTranslation],
  }),
  ...onBoth({
    name: "lazy",
    describes: "two CPUs transfer a page each for d0, again and again, and the flush queues' timer runs",
    defaultType: "DMA_FQ",
    pages: 2,
    device: { bound: true },
    threads: (objects) => [
      thread("cpu0", stream, d0(objects), objects.page(0), null, 0),
      thread("cpu1", stream, d0(objects), objects.page(1), null, 1),
      timer(),
    ],
    properties: [T1, T6, staleTranslation],
  }),
  ...onBoth({
    name: "lazy-sg",
    describes: "a CPU transfers two pages at once for d0, again and again, and the flush queues' timer runs; a mapping may fail",
    defaultType: "DMA_FQ",
    pages: 2,
    faults: 1,
    device: { bound: true },
    threads: (objects) => [thread("cpu0", stream, d0(objects), objects.page(0), objects.page(1), 0), timer()],
    properties: [T1, T6, staleTranslation],
  }),
  ...onBoth({
    name: "made-lazy",
    describes: "the administrator makes d0's default domain lazy while a CPU transfers a page, and the flush queues' timer runs",
    device: { bound: true },
    threads: (objects) => [
      thread("cpu0", stream, d0(objects), objects.page(0), null, 0),
      thread("admin", write_type, objects.group("d0"), "DMA-FQ or auto"),
      timer(),
    ],
    properties: [T1, staleTranslation],
  }),
  ...onBoth({
    name: "untrusted",
    describes: "the same of an external device",
    device: { bound: true, untrusted: true },
    threads: (objects) => [
      thread("cpu0", stream, d0(objects), objects.page(0), null, 0),
      thread("admin", write_type, objects.group("d0"), "DMA-FQ or auto"),
      timer(),
    ],
    properties: [T1, T3Queue, staleTranslation],
  }),
  dma({
    ...untrustedUnderLazyPolicy,
    name: "untrusted-under-lazy-policy",
    design: linux61Without("linux-6.1-flush-policy-of-5.12", "c208916fe6c7"),
  }),
  ...onBoth(
    {
      name: "detach-then-unmap",
      describes: "a process uses d0 through VFIO again and again, and between d0's driver is bound and transfers a page",
      userPage: true,
      owners: 1,
      more: { iommu_domain: 2, vfio_iommu: 1, vfio_domain: 1 },
      threads: (objects) => [
        thread("qemu", type1_user, objects.group("d0"), objects.owner(0)),
        thread("driver", bind_and_stream, d0(objects), net(objects), objects.page(0), 0),
      ],
      properties: [C1, K1, L2, O5, T1, T2, staleTranslation],
    },
    { arm_smmu_v3: { "use-after-free": unlockedDmaOps } },
  ),
  ...onBoth(
    {
      name: "lazy-claim",
      describes:
        "d0's driver is bound, transfers a page and is unbound, and a process takes d0 through VFIO while the flush queue's timer runs",
      defaultType: "DMA_FQ",
      userPage: true,
      owners: 1,
      more: { iommu_domain: 2, vfio_iommu: 1, vfio_domain: 1 },
      threads: (objects) => [
        thread("qemu", type1_user, objects.group("d0"), objects.owner(0)),
        thread("driver", bind_and_stream, d0(objects), net(objects), objects.page(0), 0),
        timer(),
      ],
      properties: [C1, L2, T1, T2, staleTranslation],
    },
    { intel_iommu: { "use-after-free": infoFreed }, arm_smmu_v3: { "use-after-free": unlockedDmaOps } },
  ),
  ...onBoth(
    {
      name: "lazy-freed",
      describes:
        "d0's driver is bound, transfers a page and is unbound, and the administrator changes its default domain while the flush queue's timer runs",
      defaultType: "DMA_FQ",
      threads: (objects) => [
        thread("driver", bind_and_stream, d0(objects), net(objects), objects.page(0), 0),
        thread("admin", write_type, objects.group("d0"), "identity or DMA"),
        timer(),
      ],
      properties: [C1, L2, T1, T2, staleTranslation],
    },
    { intel_iommu: { "use-after-free": infoFreed } },
  ),
  dma({ ...twoInAGroup, name: "two-in-a-group" }),
  bootSuite({
    name: "dma/failed-registration",
    describes:
      "d0, whose driver was bound as soon as its bus was walked, transmits while the registration of its IOMMU, which failed on the next bus, is undone",
    iommu: "arm_smmu_v3",
    devices: [{ name: "d0", state: "probed", driver: "net", bound: true }],
    drivers: [{ name: "net", kind: "native" }],
    threads: (objects) => [thread("smmu", unregister_iommu, objects.iommu(0)), thread("net", transmit, d0(objects))],
    properties: [T5],
    expected: everything(opsSurvive, "T5", "null-deref"),
  }),
];
