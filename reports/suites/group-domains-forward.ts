/** Domains of groups in the kernels after 6.1: what is asked of 6.1 elsewhere, asked of v6.6, 6.12.107 and 7.2.13. */
import { type Property, type Suite, thread } from "iommu-mc";
import { linux66, linux72, linux612 } from "../../models/linux/designs.js";
import type { BootDevice } from "../../models/linux/machine/boot.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import { plug, unplug, write_both_types, write_type, write_type_once } from "../../models/linux/machine/events.js";
import { transmit } from "../../models/linux/machine/native.js";
import { claim_and_release, driver_with_own_domain, rebind } from "../../models/linux/machine/workloads.js";
import {
  C1,
  C3,
  C3Attach,
  C4,
  C4Detach,
  C5,
  C7,
  C7Type,
  C8,
  C11,
  K1,
  L2,
  L2Mapping,
  L4,
  L6,
  O1,
  O2,
  O3,
  O5,
  O6,
  O7,
  O9,
  T3,
  T5,
} from "../../properties/index.js";
import { typeAgainstProbe } from "./default-domain.js";
import { bootSuite, everything, type OnEach, onEachOf, violated } from "./on-linux61.js";

const designs = [linux66, linux612, linux72];

const onEach = (declared: OnEach) => onEachOf(designs, declared);

const two: readonly BootDevice[] = [
  { name: "d0", state: "probed", group: "g" },
  { name: "d1", state: "probed", group: "g" },
];

const atWork: readonly Property[] = [C1, C4, C4Detach, C5, C11, K1, L2, O2, O3, O5, O6, O7];

/** A finding: a driver that takes a device off its domain before it can fail. */
const notReverted = violated(
  "since 2b33598e666d (v6.19) the device whose attach failed is left out when a change of domain is undone, since it is taken to be where it was; intel_iommu_attach_device() of 7.2.13 blocks it (line 3153), and amd_iommu_attach_device() detaches it (line 2973), before what can fail, so that the device stays blocked while the group says that it is on its old domain",
);

/** An owner of two devices, one call of whose may fail. */
function claimFailing(iommu: IommuDriver): Suite[] {
  return onEach({
    name: `core/claim-failing/${iommu}`,
    describes: "an owner claims a group of two devices, puts it on a domain of its own and releases it, again and again; one call may fail",
    iommu,
    devices: two,
    owners: 1,
    faults: 1,
    threads: (objects) => [thread("owner", claim_and_release, objects.device("d0"), objects.owner(0))],
    properties: [...atWork, C3, C3Attach],
    // AMD's blocking domain is one of type BLOCKED: who is on no domain is as good as on it.
    of: { "linux-7.2": everything(notReverted, "C1", "C3", ...(iommu === "amd_iommu" ? [] : ["C3-attach"])) },
  });
}

/** An owner against a driver of the same group. */
function claimAgainstBind(iommu: IommuDriver): Suite[] {
  return onEach({
    name: `core/claim-against-bind/${iommu}`,
    describes: "an owner claims a group of two devices, uses it and releases it, while the driver of one of them is bound and unbound",
    iommu,
    devices: [two[0]!, { ...two[1]!, driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    owners: 1,
    threads: (objects) => [
      thread("owner", claim_and_release, objects.device("d0"), objects.owner(0)),
      thread("udev", rebind, objects.device("d1"), objects.driver("net")),
    ],
    properties: [...atWork, T5],
  });
}

/** A driver's own domain against the type file. */
function typeAgainstOwnDomain(): Suite[] {
  return onEach({
    name: "core/type-against-own-domain",
    describes:
      "a driver that is bound and unbound puts its device on a domain of its own, while identity and DMA are written to the type file",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "probed", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    threads: (objects) => [
      thread("drv", driver_with_own_domain, objects.device("d0"), objects.driver("net"), "device"),
      thread("admin", write_type, objects.group("d0"), "identity or DMA"),
    ],
    properties: [C1, C5, C11, L2, L2Mapping, O1, O3, O9, T5],
    of: {
      "linux-6.6": { ...everything(devresMapped, "L2-mapping", "O9"), ...everything(finalizedUnlocked, "T5", "use-after-free") },
      "linux-6.12": everything(devresMapped, "L2-mapping", "O9"),
      "linux-7.2": everything(devresMapped, "L2-mapping", "O9"),
    },
  });
}

/** A finding: what device_lock() prevented until v6.4. */
const devresMapped = violated(
  "__device_release_driver() gives the ownership count back (dma_cleanup, dd.c of 7.2.13 line 1352) before the driver's managed resources are released (device_unbind_cleanup, line 1354); since 49a22aae7d9c (v6.4) iommu_group_store_type() asks for nothing but that count, and frees the default domain that the driver's managed buffers are still mapped in",
);

/** The driver's packets against the type file. */
function typeAgainstTraffic(): Suite {
  return bootSuite({
    name: "core/type-against-traffic",
    design: linux72,
    describes: "a driver that is bound and unbound transmits, while identity and DMA are written to the type file",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "probed", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    threads: (objects) => [
      thread("drv", rebind, objects.device("d0"), objects.driver("net")),
      thread("net", transmit, objects.device("d0")),
      thread("admin", write_type, objects.group("d0"), "identity or DMA"),
    ],
    properties: [L2Mapping, O9],
    expected: everything(devresMapped, "L2-mapping", "O9"),
  });
}

/** The DMA ops are set up when the mutex has been given back. */
const finalizedUnlocked = violated(
  "until b67483b3c44e (v6.10) iommu_group_store_type() sets up the DMA ops of the group's devices when it has given the mutex back: a driver that is bound meanwhile has those of the old type, or has them changed, from a domain that may be freed by then",
);

/** The same: what is looked at then may be freed. */
const freedMeanwhile = violated(
  "until b67483b3c44e (v6.10) the DMA ops of a group's devices are set up when its mutex has been given back: the devices are walked, and the group's domain is looked at, while both may be freed",
);

/** An owner against the type file. */
function typeAgainstClaim(): Suite[] {
  return onEach({
    name: "core/type-against-claim",
    describes: "an owner claims a group of two devices, uses it and releases it, while identity and DMA are written to the type file",
    iommu: "intel_iommu",
    devices: two,
    owners: 1,
    threads: (objects) => [
      thread("owner", claim_and_release, objects.device("d0"), objects.owner(0)),
      thread("admin", write_type, objects.group("g"), "identity or DMA"),
    ],
    properties: [C1, C4, C5, L2, O2, O9],
    of: { "linux-6.6": everything(freedMeanwhile, "use-after-free") },
  });
}

/** A device of the group comes while the type is changed. */
function typeAgainstPlug(): Suite[] {
  return onEach({
    name: "core/type-against-plug",
    describes: "identity is written to the type file of a bridge's group while a device below it is plugged in",
    iommu: "amd_iommu",
    devices: [
      { name: "d0", state: "probed" },
      { name: "d1", state: "absent", upstream: "d0" },
    ],
    terminates: true,
    threads: (objects) => [
      thread("admin", write_type_once, objects.device("d0"), "IDENTITY"),
      thread("hotplug", plug, objects.device("d1")),
    ],
    properties: [C1, L2, L4, L6],
    of: { "linux-6.6": everything(freedMeanwhile, "use-after-free") },
  });
}

/** A device of the group goes. */
function typeAgainstUnplug(): Suite[] {
  return onEach({
    name: "core/type-against-unplug",
    describes: "identity is written to the type file of a group of two devices while one of them is pulled out",
    iommu: "amd_iommu",
    devices: two,
    terminates: true,
    threads: (objects) => [
      thread("admin", write_type_once, objects.device("d0"), "IDENTITY"),
      thread("hotplug", unplug, objects.device("d1")),
    ],
    properties: [C1, L2, L4, L6],
    of: { "linux-6.6": everything(freedMeanwhile, "null-deref", "use-after-free") },
  });
}

/** Two writes, one call of which may fail. */
function typeFailing(iommu: IommuDriver): Suite[] {
  return onEach({
    name: `core/type-failing/${iommu}`,
    describes: "identity is written to the type file of a group of two devices, and then DMA; one call may fail",
    iommu,
    devices: two,
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("admin", write_both_types, objects.device("d0"))],
    properties: [C1, C3, C5, C7Type, L2],
    of: { "linux-7.2": everything(notReverted, "C1", "C3") },
  });
}

/** An external device joins what is there. */
function joins(): Suite[] {
  return onEach({
    name: "core/joins-lazy",
    describes: "an external device is plugged in below a bridge whose group has a lazy default domain",
    iommu: "amd_iommu",
    defaultType: "DMA_FQ",
    devices: [
      { name: "d0", state: "probed" },
      { name: "d1", state: "absent", upstream: "d0", untrusted: true },
    ],
    terminates: true,
    threads: (objects) => [thread("hotplug", plug, objects.device("d1"))],
    properties: [C1, C7, C8, T3],
    of: Object.fromEntries(designs.map(({ name }) => [name, everything(joinedLate, "C7", "T3")])),
  });
}

const joinedLate = violated(
  "__iommu_probe_device() asks what a device needs only where its group has no default domain yet: who joins gets what there is, up to 7.2.13",
);

export const groupDomainForwardSuites: readonly Suite[] = [
  ...claimFailing("intel_iommu"),
  ...claimFailing("amd_iommu"),
  ...claimAgainstBind("intel_iommu"),
  ...typeAgainstOwnDomain(),
  typeAgainstTraffic(),
  ...typeAgainstClaim(),
  ...typeAgainstPlug(),
  ...typeAgainstUnplug(),
  ...onEach({
    ...typeAgainstProbe,
    name: "core/type-against-probe",
    properties: [C1, L2, L4, L6],
    of: { "linux-6.6": everything(freedMeanwhile, "use-after-free") },
  }),
  ...typeFailing("amd_iommu"),
  ...joins(),
];
