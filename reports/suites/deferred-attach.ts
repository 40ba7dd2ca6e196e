/** A kdump kernel of 6.1.176: devices stay on the crashed kernel's tables until their drivers map something. */
import { type Suite, thread } from "iommu-mc";
import type { BootDevice, BootObjects } from "../../models/linux/machine/boot.js";
import { plug, register_and_bind, unplug } from "../../models/linux/machine/events.js";
import { refill_rx, transmit } from "../../models/linux/machine/native.js";
import { attach_own_domain, claim_and_release, rebind } from "../../models/linux/machine/workloads.js";
import { C1, C15, C15Untouched, K1, L2, L6, O2, O5, T5 } from "../../properties/index.js";
import { type BootSuite, bootSuite, everything, violated } from "./on-linux61.js";

/** Entry into the driver is serialised by the group's mutex, but for the fast path of the DMA API. */
const unlockedAttach = violated(
  "iommu_deferred_attach() attaches without the group's mutex, so that another attach is at work in the driver at the same time; fixed by 5d5388b0e190 (v7.0)",
);

/** Documented in iommu_deferred_attach() of v7.0. */
const unlockedTest = violated(
  "known and accepted: iommu_deferred_attach() asks without the group's mutex whether the attach is deferred, and 5d5388b0e190 (v7.0) does not ask again under it: the default domain gets over the one that was attached meanwhile; drivers are expected to make their first map alone",
);

const attachedAtProbe = violated(
  "iommu_probe_device() attaches the default domain to a device that comes alone without asking whether its attach is deferred, as the bus walk does and as __iommu_device_set_domain() does for every attach of the default domain in later kernels",
);

const releasedBeforeAttach = violated(
  "intel_iommu_release_device() takes the device off a domain that it was never attached to: dmar_remove_one_dev_info() of 6.1 does not expect info->domain to be NULL; fixed by 81e921fd3216 (v6.9)",
);

type Scene = Pick<BootSuite, "describes" | "devices" | "threads" | "properties"> &
  Partial<Pick<BootSuite, "registered" | "faults" | "owners">>;

/** One device d0 with its driver. */
function withDevice(state: BootDevice["state"] = "probed", bound = false): Pick<BootSuite, "devices"> {
  return { devices: [{ name: "d0", state, driver: "net", bound }] };
}

const d0 = (objects: BootObjects) => objects.device("d0");

/** What happens to it in a kdump kernel. */
export const kdumpScenes = {
  registration: {
    ...withDevice("added"),
    describes: "in a kdump kernel, the IOMMU registers, and then d0's driver is bound and transmits",
    registered: 0,
    threads: (objects) => [
      thread("boot", register_and_bind, objects.iommu(0), objects.ops, d0(objects), objects.driver("net")),
      thread("net", transmit, d0(objects)),
    ],
    properties: [C1, C15, C15Untouched, L2, T5],
  },
  "first-map": {
    ...withDevice(),
    describes: "in a kdump kernel, d0's driver is bound and unbound, and transmits; one call may fail",
    faults: 1,
    threads: (objects) => [thread("udev", rebind, d0(objects), objects.driver("net")), thread("net", transmit, d0(objects))],
    properties: [C1, C15, C15Untouched, L2, T5],
  },
  "two-maps": {
    ...withDevice("probed", true),
    describes: "in a kdump kernel, two CPUs map something for d0 for the first time",
    threads: (objects) => [thread("tx", transmit, d0(objects)), thread("rx", refill_rx, d0(objects))],
    properties: [C1, C15, C15Untouched, L2, T5],
  },
  "map-against-own-domain": {
    ...withDevice("probed", true),
    describes: "in a kdump kernel, d0's driver puts it on a domain of its own while another CPU maps something for the first time",
    threads: (objects) => [thread("tx", transmit, d0(objects)), thread("driver", attach_own_domain, d0(objects), "group")],
    properties: [C1, C15, C15Untouched, L2, T5],
  },
  "map-against-claim": {
    ...withDevice(),
    describes:
      "in a kdump kernel, a user claims d0's group and attaches a domain of its own while d0's driver is bound and unbound, and transmits",
    owners: 1,
    threads: (objects) => [
      thread("udev", rebind, d0(objects), objects.driver("net")),
      thread("net", transmit, d0(objects)),
      thread("user", claim_and_release, d0(objects), objects.owner(0)),
    ],
    properties: [C1, C15, C15Untouched, L2, O2, O5, K1, T5],
  },
  hotplug: {
    ...withDevice("absent"),
    describes: "in a kdump kernel, d0 is plugged in and its driver bound",
    threads: (objects) => [thread("pciehp", plug, d0(objects))],
    properties: [C1, C15, C15Untouched, L2, L6, T5],
  },
  unplug: {
    ...withDevice(),
    describes: "in a kdump kernel, d0 is pulled out before it was ever used",
    threads: (objects) => [thread("pciehp", unplug, d0(objects))],
    properties: [C1, L2, L6],
  },
} satisfies Readonly<Record<string, Scene>>;

/** A kdump kernel. */
export const inKdump = { kdump: true, drivers: [{ name: "net", kind: "native" }] } satisfies Partial<BootSuite>;

function kdump(name: keyof typeof kdumpScenes, expected: BootSuite["expected"] = {}): Suite {
  const scene: Scene = kdumpScenes[name];
  return bootSuite({ name: `deferred-attach/${name}`, iommu: "intel_iommu", ...inKdump, ...scene, expected });
}

export const deferredAttachSuites: readonly Suite[] = [
  kdump("registration"),
  kdump("first-map"),
  kdump("two-maps", everything(unlockedAttach, "C1", "C15", "warn-on")),
  kdump("map-against-own-domain", { C1: unlockedTest, "warn-on": unlockedAttach }),
  kdump("map-against-claim"),
  kdump("hotplug", { "C15-untouched": attachedAtProbe }),
  kdump("unplug", { "null-deref": releasedBeforeAttach }),
];
