/** Linux 4.2 with arm64's DMA ops as posted in 2015, and with what was proposed instead: in which orders a device is attached. */
import { type Suite, thread, withCommits } from "iommu-mc";
import { do_initcalls } from "../../models/arm64/boot.js";
import { arm42, linux42 } from "../../models/arm64/designs.js";
import { deferred_probe_work_func, driver_register } from "../../models/arm64/driver-core.js";
import { probe_iommu } from "../../models/arm64/iommu-bus.js";
import { T5Bound, V2Bound, V2Early, V2Queue, V2Refused } from "../../properties/delayed-attach.js";
import { R1Then, T5Arm64, V2Arm64, X2Then } from "../../properties/in-2015.js";
import { boot, bootInAnyOrder, deferred, deferredOn44, of42, posted, rockchip, smmu, sysmmu, underEach } from "./arm64-scene.js";
import { everything, violated } from "./on-linux61.js";

/** arch_setup_dma_ops() attaches at once. */
const attachedAtOnce = withCommits(linux42, "attach-in-setup");
/** The IOMMU's driver sets the DMA ops up. */
const inAddDevice = withCommits(linux42, "setup-in-add-device");

/** What is claimed of DMA ops. */
const dmaOps = [T5Arm64, V2Arm64, R1Then];
const d0 = [{ name: "d0" }];
const d0d1 = [...d0, { name: "d1" }];

const neverTold = violated("the notifier is told of devices that are added, and none is added after d0 can be attached");
const toldTooEarly = violated("arm64's notifier is told of d0 before the IOMMU's driver, which then refuses to attach it");
const queued = violated("a device that has no group yet waits, which is what the notifier is for");
const attachedLate = violated("what waits is attached when the next device is added, whether a driver is bound to it by then or not");
const refusedAtOnce = violated("the IOMMU's driver refuses a device that is in no group, as each is when its DMA ops are set up");
const attachedAnyway = violated("of_xlate() has told the driver of the device, and it does not ask for its group");
const pretended = violated("rk_iommu_attach_device() returns 0 for a device without a group, and has done nothing");
const notFound = violated("arm64's DMA ops find a device's domain by its group, which has not been told of this one");
const changedUnderDriver = violated("when the IOMMU's driver comes last, it changes what a bound driver does its DMA with");
const boundTooEarly = violated("a driver can be bound as soon as its device is on the bus, before anybody is told that it was added");
const setUpLate = violated("its DMA ops are set up when its driver is bound");
const waitsForEver = violated("the device's driver waits for an IOMMU whose own driver never comes");
const halfRegistered = violated(
  "an IOMMU that is registered, but whose ops its bus has not got yet, cannot add the device, and that counts as no IOMMU",
);
const addedTwice = violated(
  "a device that is bound while its bus is walked is added by both; that the second fails fails the walk, which removes all devices again",
);

const postedSuites: readonly Suite[] = [
  of42({
    name: "arm64-posted/any-order",
    describes: "all that comes for d0 and d1, in every order",
    design: posted,
    devices: d0d1,
    threads: bootInAnyOrder("dma iommu device device driver", "d1"),
    properties: [...dmaOps, V2Early, V2Queue],
    expected: { "T5-arm64": attachedLate, "V2-arm64": neverTold, "V2-queue": queued },
  }),
  of42({
    name: "arm64-posted/early-device",
    describes: "d0 and its IOMMU's driver are there before arm64's notifier; then d0's driver comes",
    design: posted,
    devices: d0,
    threads: boot("device iommu dma driver"),
    properties: dmaOps,
    expected: { "V2-arm64": neverTold },
  }),
  of42({
    name: "arm64-posted/late-iommu",
    describes: "after arm64's notifier come d0, its IOMMU's driver and its own, in the order of the initcalls",
    design: posted,
    devices: d0,
    threads: boot("dma device iommu driver"),
    properties: dmaOps,
    expected: { "V2-arm64": neverTold },
  }),
  of42({
    name: "arm64-posted/next-device",
    describes: "the same, and when d0's driver is bound another device comes",
    design: posted,
    devices: d0d1,
    threads: boot("dma device iommu driver device", "d1"),
    properties: [...dmaOps, T5Bound],
    expected: everything(attachedLate, "T5-arm64", "T5-bound"),
  }),
  of42({
    name: "arm64-posted/early-iommu",
    describes: "d0 comes when its IOMMU's driver is there; arm64's notifier was registered first, but has the lower priority",
    design: posted,
    devices: d0,
    threads: boot("dma iommu device driver"),
    properties: dmaOps,
  }),
  of42({
    name: "arm64-posted/late-notifier",
    describes: "the same, and arm64's notifier was registered last",
    design: posted,
    devices: d0,
    threads: boot("iommu dma device driver"),
    properties: dmaOps,
  }),
  of42({
    name: "arm64-posted/same-priority",
    describes: "d0 comes when its IOMMU's driver is there; arm64's notifier was registered first, and has the same priority",
    design: withCommits(posted, "same-priority"),
    devices: d0,
    threads: boot("dma iommu device driver"),
    properties: dmaOps,
    expected: { "V2-arm64": toldTooEarly },
  }),
];

const inSetup = {
  describes: "all that comes for d0, in every order; it is to be attached when its DMA ops are set up",
  design: attachedAtOnce,
  devices: d0,
  threads: bootInAnyOrder("iommu device driver"),
};

const inSetupSuites: readonly Suite[] = [
  of42({
    ...inSetup,
    name: "arm64-in-setup/arm_smmu",
    properties: [...dmaOps, V2Early, V2Refused],
    expected: { "V2-arm64": refusedAtOnce },
  }),
  of42({
    ...inSetup,
    name: "arm64-in-setup/exynos_sysmmu",
    iommus: [sysmmu],
    properties: [V2Early, V2Refused],
    expected: { "V2-refused": attachedAnyway, "null-deref": notFound },
  }),
  of42({
    ...inSetup,
    name: "arm64-in-setup/rk_iommu",
    iommus: [rockchip],
    properties: [V2Early, V2Refused],
    expected: { "V2-refused": pretended, "null-deref": notFound },
  }),
];

const onArm = {
  describes: "on arm d0 comes when its IOMMU's driver is there, and then its own driver",
  design: arm42,
  devices: d0,
  threads: boot("iommu device driver"),
  properties: dmaOps,
};

const armSuites: readonly Suite[] = [
  of42({ ...onArm, name: "arm/boot/arm_smmu", iommus: [smmu], expected: { "V2-arm64": refusedAtOnce } }),
  of42({ ...onArm, name: "arm/boot/exynos_sysmmu", iommus: [sysmmu] }),
  of42({ ...onArm, name: "arm/boot/rk_iommu", iommus: [rockchip], expected: { "T5-arm64": pretended } }),
];

const inAddDeviceSuites: readonly Suite[] = [
  of42({
    name: "arm64-in-add-device/any-order",
    describes: "all that comes for d0, in every order; its DMA ops are set up when its IOMMU's driver sees it",
    design: inAddDevice,
    devices: d0,
    threads: bootInAnyOrder("iommu device driver"),
    properties: [...dmaOps, T5Bound, V2Queue],
    expected: everything(changedUnderDriver, "T5-arm64", "T5-bound"),
  }),
  of42({
    name: "arm64-in-add-device/late-iommu",
    describes: "d0 comes, then its IOMMU's driver, then its own",
    design: inAddDevice,
    devices: d0,
    threads: boot("device iommu driver"),
    properties: [...dmaOps, V2Queue],
  }),
  of42({
    name: "arm64-in-add-device/early-iommu",
    describes: "d0's IOMMU's driver comes, then d0, then its own driver",
    design: inAddDevice,
    devices: d0,
    threads: boot("iommu device driver"),
    properties: [...dmaOps, V2Queue],
  }),
  of42({
    name: "arm64-in-add-device/module",
    describes: "d0 comes when its IOMMU's driver is there, while its own driver, a module, is loaded",
    design: inAddDevice,
    devices: d0,
    threads: ({ device, bus, iommu }) => [
      thread("init", do_initcalls, bus("platform"), iommu(0), device("d0"), null, "iommu device"),
      thread("modprobe", driver_register, bus("platform")),
    ],
    properties: [...dmaOps, T5Bound, V2Queue],
    expected: everything(boundTooEarly, "T5-arm64", "T5-bound"),
  }),
];

const onceBound = [...dmaOps, V2Bound, V2Queue, V2Early];

const deferredSuites: readonly Suite[] = [
  ...underEach(
    {
      name: "deferred",
      describes: "all that comes for d0 and d1, in every order; their driver is bound when their IOMMU is there",
      devices: d0d1,
      threads: (objects) => [...bootInAnyOrder("iommu device device driver", "d1")(objects), thread("deferwq", deferred_probe_work_func)],
    },
    [
      { name: "arm64-deferred/any-order", design: deferred, properties: onceBound, expected: { "V2-early": setUpLate } },
      { name: "arm64-deferred/any-order-4.4", design: deferredOn44, properties: onceBound, expected: { "V2-early": setUpLate } },
    ],
  ),
  of42({
    name: "arm64-deferred/without-iommu",
    describes: "the driver of d0's IOMMU never comes",
    design: deferred,
    devices: d0,
    threads: (objects) => [...bootInAnyOrder("device driver")(objects), thread("deferwq", deferred_probe_work_func)],
    properties: [V2Bound, V2Queue],
    expected: { "V2-bound": waitsForEver },
  }),
  of42({
    name: "arm64-deferred/module",
    describes: "d0 is there, and the driver of its IOMMU, a module, is loaded while its own comes",
    design: deferredOn44,
    devices: [{ name: "d0", present: true }],
    threads: ({ bus, iommu }) => [
      thread("init", driver_register, bus("platform")),
      thread("modprobe", probe_iommu, bus("platform"), iommu(0)),
      thread("deferwq", deferred_probe_work_func),
    ],
    properties: [...dmaOps, V2Bound, V2Queue, X2Then],
    expected: {
      ...everything(halfRegistered, "T5-arm64", "V2-arm64"),
      ...everything(addedTwice, "V2-queue", "warn-on", "use-after-free", "null-deref"),
    },
  }),
];

export const arm64OrderSuites: readonly Suite[] = [
  ...postedSuites,
  ...inSetupSuites,
  ...armSuites,
  ...inAddDeviceSuites,
  ...deferredSuites,
];
