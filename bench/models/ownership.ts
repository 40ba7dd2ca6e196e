/** Processes that take a group's DMA ownership, attach a domain of theirs and give it back, against drivers that come and go. */
import {
  counter,
  design,
  enumeration,
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

const ownership = schema({
  group: { mutex: mutex(), owner: ref("user").guardedBy("mutex"), owner_cnt: counter(15).guardedBy("mutex"), devices: list("device", 15) },
  device: {
    group: ref("group"),
    domain: enumeration("default", "blocking", "user").guardedBy("group.mutex"),
    bound: flag().guardedBy("group.mutex"),
  },
  user: {},
});
type Group = View<typeof ownership, "group">;
type Device = View<typeof ownership, "device">;
type User = View<typeof ownership, "user">;

function* vfio_user(group: Group, user: User): Proc {
  for (;;) {
    yield idle();
    yield* mutex_lock(group.mutex);
    if (group.owner_cnt > 0) {
      mutex_unlock(group.mutex);
      continue;
    }
    for (const dev of group.devices) {
      yield;
      dev.domain = "blocking";
    }
    group.owner = user;
    group.owner_cnt = 1;
    mutex_unlock(group.mutex);
    yield* mutex_lock(group.mutex);
    for (const dev of group.devices) {
      yield;
      dev.domain = "user";
    }
    mutex_unlock(group.mutex);
    yield* mutex_lock(group.mutex);
    group.owner = null;
    group.owner_cnt = 0;
    for (const dev of group.devices) {
      yield;
      dev.domain = "default";
    }
    mutex_unlock(group.mutex);
  }
}

function* native_driver(group: Group, dev: Device): Proc {
  for (;;) {
    yield idle();
    yield* mutex_lock(group.mutex);
    if (group.owner !== null) {
      mutex_unlock(group.mutex);
      continue;
    }
    group.owner_cnt++;
    dev.bound = true;
    mutex_unlock(group.mutex);
    yield* mutex_lock(group.mutex);
    dev.bound = false;
    group.owner_cnt--;
    mutex_unlock(group.mutex);
  }
}

/** So many processes, and so many devices with a driver each. */
export function ownershipRaces(users: number, devices: number): Suite {
  return suite({
    name: `bench/ownership/${users}-${devices}`,
    design: design({ name: "ownership", version: "bench", schema: ownership, commits: {}, includes: [] }),
    properties: [
      property({
        code: "apart",
        sentence: "While the group is at rest, a driver's device is in the default domain, and an owned group has no device there.",
        source: "Documentation of DMA ownership: a group is used by the kernel or by one owner.",
        seenRedBy: "native_driver() does not look at the owner",
        window: windows(ownership).atRest("group", "mutex", (group) =>
          group.devices.every((dev) => (dev.bound ? dev.domain === "default" : group.owner === null || dev.domain !== "default")),
        ),
      }),
    ],
    scenario: scenario(ownership, "races", {
      describes: "processes and drivers want the same group",
      setup(make) {
        const group = make("group", "group0");
        const devs = Array.from({ length: devices }, (_, number) => make("device", `d${number}`, { group }));
        for (const dev of devs) list_add_tail(dev, group.devices);
        return [
          ...Array.from({ length: users }, (_, number) => thread(`qemu${number}`, vfio_user, group, make("user", `user${number}`))),
          ...devs.map((dev, number) => thread(`driver${number}`, native_driver, group, dev)),
        ];
      },
    }),
  });
}
