/** The example of the README, whole: a claim that forgets to undo what it did before a failure. */
import {
  design,
  EBUSY,
  ENOMEM,
  type Errno,
  fault,
  list,
  list_add_tail,
  mutex,
  mutex_lock,
  mutex_unlock,
  type Proc,
  property,
  ref,
  scenario,
  schema,
  suite,
  thread,
  type View,
  windows,
} from "iommu-mc";

const tiny = schema({
  group: {
    mutex: mutex(),
    devices: list("device", 2),
    default_domain: ref("domain"),
    blocking_domain: ref("domain"),
    owner: ref("user").guardedBy("mutex"),
  },
  device: { group: ref("group"), domain: ref("domain").guardedBy("group.mutex") },
  domain: { group: ref("group") },
  user: { group: ref("group") },
});
type Group = View<typeof tiny, "group">;
type User = View<typeof tiny, "user">;

/** Takes the group for a user, if nobody has it. */
export function* claim(group: Group, owner: User): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  let ret: Errno = 0;
  if (group.owner !== null) ret = -EBUSY;
  else {
    for (const dev of group.devices) {
      ret = fault("attach_dev") ? -ENOMEM : 0;
      if (ret) break;
      dev.domain = group.blocking_domain;
      yield; // one device is one step
    }
    if (!ret) group.owner = owner;
  }
  mutex_unlock(group.mutex);
  return ret;
}

const { atRest } = windows(tiny);

const together = property({
  code: "together",
  sentence: "With the group's mutex free, all its devices are on one domain.",
  source: "this example",
  seenRedBy: "this example",
  window: atRest("group", "mutex", (group) => group.devices.every((dev) => dev.domain === group.devices.at(0)!.domain)),
});

export const example = suite({
  name: "example",
  design: design({ name: "example", version: "as in the README", schema: tiny, commits: {}, includes: [] }),
  properties: [together],
  scenario: scenario(tiny, "two users, one failure", {
    describes: "two users claim a group of two devices; one attach may fail",
    faults: 1,
    setup(make) {
      const group = make("group", "group0");
      group.default_domain = make("domain", "default0");
      group.blocking_domain = make("domain", "blocking0");
      for (const name of ["d0", "d1"]) list_add_tail(make("device", name, { group, domain: group.default_domain }), group.devices);
      return ["qemu", "dpdk"].map((name) => thread(name, claim, group, make("user", name)));
    },
  }),
});
