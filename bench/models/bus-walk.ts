/** An IOMMU that registers walks the bus in two phases, while devices are plugged and unplugged and drivers are bound. */
import {
  design,
  fault,
  flag,
  idle,
  list,
  list_add_tail,
  mutex,
  mutex_lock,
  mutex_unlock,
  type Proc,
  property,
  ref,
  type Suite,
  scenario,
  schema,
  suite,
  thread,
  type View,
  windows,
} from "iommu-mc";

const bus = schema({
  iommu: { mutex: mutex(), registered: flag().guardedBy("mutex"), slots: list("device", 15) },
  device: {
    iommu: ref("iommu"),
    present: flag().guardedBy("iommu.mutex"),
    in_group: flag().guardedBy("iommu.mutex"),
    attached: flag().guardedBy("iommu.mutex"),
    bound: flag().guardedBy("iommu.mutex"),
  },
});
type Iommu = View<typeof bus, "iommu">;
type Device = View<typeof bus, "device">;

function* iommu_device_register(iommu: Iommu): Proc {
  for (;;) {
    yield idle();
    yield* mutex_lock(iommu.mutex);
    iommu.registered = true;
    mutex_unlock(iommu.mutex);
    for (const dev of iommu.slots) {
      yield* mutex_lock(iommu.mutex);
      if (dev.present && !dev.in_group && !fault("probe_device")) dev.in_group = true;
      mutex_unlock(iommu.mutex);
    }
    for (const dev of iommu.slots) {
      yield* mutex_lock(iommu.mutex);
      if (dev.in_group) dev.attached = true;
      mutex_unlock(iommu.mutex);
    }
    yield* mutex_lock(iommu.mutex);
    iommu.registered = false;
    mutex_unlock(iommu.mutex);
    for (const dev of iommu.slots) {
      yield* mutex_lock(iommu.mutex);
      if (!dev.bound) dev.attached = false;
      if (!dev.bound) dev.in_group = false;
      mutex_unlock(iommu.mutex);
    }
  }
}

function* hotplug(dev: Device): Proc {
  for (;;) {
    yield idle();
    yield* mutex_lock(dev.iommu!.mutex);
    dev.present = true;
    if (dev.iommu!.registered) dev.in_group = true;
    mutex_unlock(dev.iommu!.mutex);
    yield* mutex_lock(dev.iommu!.mutex);
    if (dev.in_group) dev.attached = true;
    mutex_unlock(dev.iommu!.mutex);
    yield idle();
    yield* mutex_lock(dev.iommu!.mutex);
    dev.bound = dev.attached;
    mutex_unlock(dev.iommu!.mutex);
    yield idle();
    yield* mutex_lock(dev.iommu!.mutex);
    dev.bound = false;
    dev.attached = false;
    dev.in_group = false;
    dev.present = false;
    mutex_unlock(dev.iommu!.mutex);
  }
}

/** So many slots on the bus, each with a device that comes and goes; so many of the walk's probes may fail. */
export function busWalk(slots: number, faults: number): Suite {
  return suite({
    name: `bench/bus-walk/${slots}-${faults}`,
    design: design({ name: "bus-walk", version: "bench", schema: bus, commits: {}, includes: [] }),
    properties: [
      property({
        code: "translated",
        sentence: "A driver's device is attached, and a device that is attached is present and in a group.",
        source: "The order of probing: group, domain, driver.",
        seenRedBy: "hotplug() binds without a look at the attach",
        window: windows(bus).always("device", (dev) => (!dev.bound || dev.attached) && (!dev.attached || (dev.in_group && dev.present))),
      }),
    ],
    scenario: scenario(bus, "walk", {
      describes: "an IOMMU registers and goes away while devices come and go",
      faults,
      setup(make) {
        const iommu = make("iommu", "iommu0");
        const devs = Array.from({ length: slots }, (_, number) => make("device", `d${number}`, { iommu }));
        for (const dev of devs) list_add_tail(dev, iommu.slots);
        return [thread("iommu", iommu_device_register, iommu), ...devs.map((dev, number) => thread(`slot${number}`, hotplug, dev))];
      },
    }),
  });
}
