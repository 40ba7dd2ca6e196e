/** What was said in September 2021 of user DMA, VFIO and the driver core, of which v5.19 has made what there is. */
import type { Claim } from "iommu-mc";

const firmware =
  "A device that the firmware's tables describe comes into its group in dma_configure, behind the place where the sketch asks.";

const claim = (id: string, rest: Omit<Claim, "id" | "system">): Claim => ({ id, system: "user-dma", ...rest });

const holdsIn = (check: string, ...suites: readonly string[]) => suites.map((suite) => ({ suite, check, is: "holds" }) as const);

const violatedIn = (check: string, ...suites: readonly string[]) => suites.map((suite) => ({ suite, check, is: "violated" }) as const);

export const userDmaClaims: readonly Claim[] = [
  claim("E1a", {
    split: firmware,
    says: "Where the driver core takes kernel ownership before a probe and gives it back on every way out, no kernel driver and user own the DMA of one group at a time, if devices have their groups before they are bound.",
    evidence: [
      ...holdsIn("O1", "user-dma/transmitting/sketch", "user-dma/transmitting/merged"),
      ...holdsIn("O2", "user-dma/transmitting/sketch", "user-dma/transmitting/merged"),
      ...holdsIn("O2-user", "user-dma/transmitting/sketch", "user-dma/transmitting/merged"),
      ...holdsIn("K1", "user-dma/transmitting/sketch", "user-dma/transmitting/merged"),
      ...holdsIn("O2", "user-dma/failing/sketch", "user-dma/failing/merged"),
      ...holdsIn("O2-user", "user-dma/failing/sketch", "user-dma/failing/merged"),
      ...holdsIn("O3", "user-dma/transmitting/sketch", "user-dma/transmitting/merged"),
      ...violatedIn("O2-user", "user-dma/siblings/before"),
    ],
    verdict: "holds",
    reading:
      "A process and the driver of a sibling want the group in every order; the driver transmits, or one step of all fails. The count decides, under the group's mutex, and whoever comes second is refused. It rests on drivers that are quiet when remove() is over (E9) and on exempt drivers that do no DMA (E10).",
  }),
  claim("E1b", {
    split: firmware,
    says: "The same as sketched, if a device comes into its group in dma_configure.",
    evidence: [...holdsIn("O2-user", "user-dma/joins/sketch"), ...holdsIn("O11", "user-dma/joins/sketch", "user-dma/joins-after/sketch")],
    verdict: "refuted",
    reading:
      "With a device tree the sketch takes the ownership of a device that is in no group yet, which is nothing, and dma_configure then puts it into the group that a process has, or will be given. The driver is at work beside the user, in either order.",
    finding: "sketch-takes-ownership-before-there-is-a-group.md",
  }),
  claim("E1c", {
    split: firmware,
    says: "The same as merged, which asks at the end of dma_configure.",
    evidence: [
      ...holdsIn("O2-user", "user-dma/joins/merged"),
      ...holdsIn("O11", "user-dma/joins/merged", "user-dma/joins-after/merged"),
      ...holdsIn("O12", "user-dma/joins/merged"),
      { suite: "user-dma/joins/6.12", check: "all", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "The group is there when the bus asks. What the suite of 6.1 finds besides, a freed domain that arm64's DMA ops are set up from, comes from what dma_configure does before it asks; it is known, and gone in 6.12.",
  }),
  claim("E2a", {
    split: "What does not pair is not a path of really_probe(), or not the sketch's: each is a statement of its own.",
    says: "The sketch pairs take and release on every path of really_probe(), of a device that has its group: success, failures of pinctrl, dma_configure, sysfs, probe and groups, deferral, probing again, removal of the driver.",
    evidence: [
      { suite: "user-dma/paths/sketch", check: "all", is: "holds" },
      { suite: "user-dma/reprobed/sketch", check: "all", is: "holds" },
      ...violatedIn("O3", "user-dma/reprobed/merged-at-first"),
    ],
    verdict: "holds",
    reading:
      "It is taken once before the label re_probe, and given back at the one place where all failures meet, so that the loop of CONFIG_DEBUG_TEST_DRIVER_REMOVE cannot unbalance it. A refusal comes before anything was done. Failures of dma_configure meet there too, but dma_configure fails only for a device whose IOMMU has not come (E2b). Deferral by pinctrl and missing suppliers, left out of the model, come before the take or end where the failures meet.",
  }),
  claim("E2b", {
    split: "What does not pair is not a path of really_probe(), or not the sketch's: each is a statement of its own.",
    says: "The sketch pairs them also where dma_configure puts the device into its group.",
    evidence: [
      ...holdsIn("O3", "user-dma/unread/sketch", "user-dma/late-iommu/sketch"),
      ...holdsIn("warn-on", "user-dma/unread/sketch", "user-dma/late-iommu/sketch"),
    ],
    verdict: "refuted",
    reading: "Nothing is taken, as there is no group; when the driver goes there is one, and its count of zero is lowered.",
    finding: "sketch-takes-ownership-before-there-is-a-group.md",
  }),
  claim("E2c", {
    split: "What does not pair is not a path of really_probe(), or not the sketch's: each is a statement of its own.",
    says: "Every driver that __device_release_driver() releases was counted, in the sketch or as merged.",
    evidence: [
      ...holdsIn("warn-on", "user-dma/by-hand/sketch", "user-dma/by-hand/merged"),
      ...holdsIn("O3", "user-dma/by-hand/sketch", "user-dma/by-hand/merged"),
    ],
    verdict: "refuted",
    reading:
      "device_bind_driver() binds without really_probe() and takes nothing, but is undone like any other. What is bound so (USB interfaces, PHYs, serio, PnP) is in no group, or on a bus without dma_cleanup; of the sketch, which asks on every bus, only the first protects. Nothing enforces it.",
  }),
  claim("E2d", {
    split: "What does not pair is not a path of really_probe(), or not the sketch's: each is a statement of its own.",
    says: "What was merged in v5.19 pairs them on every path too.",
    evidence: [
      { suite: "user-dma/paths/merged", check: "all", is: "holds" },
      { suite: "user-dma/unread/merged", check: "all", is: "holds" },
      { suite: "user-dma/late-iommu/merged", check: "all", is: "holds" },
      ...holdsIn("O3", "user-dma/reprobed/merged-at-first"),
    ],
    verdict: "refuted",
    reading:
      "Where a kernel tests removal, dma_configure was called for the second probe without a dma_cleanup for the first: a count too many for ever, and no process gets the group. The sketch had it right. f429378a9bf8 (v6.6, and 6.1.176) mends it, as user-dma/reprobed/merged shows.",
  }),
  claim("E3a", {
    split: "It depends on what counts as seen.",
    says: "To take user ownership when the group is put into a container, or when a device is opened, makes no difference to what its user and the drivers are answered.",
    evidence: [
      {
        audit: ["user-dma/siblings/merged", "user-dma/siblings/at-open"],
        observe: ["SET_CONTAINER", "SET_IOMMU", "MAP_DMA", "GET_DEVICE_FD", "bind"],
        is: "equivalent",
      },
    ],
    verdict: "differs",
    reading:
      "With a driver bound to a sibling, SET_CONTAINER is refused in the one and not in the other, which refuses when the device is opened. And a process that has not opened a device, and may never do so, keeps drivers away in the one only.",
    finding: "when-a-group-is-taken-can-be-seen.md",
  }),
  claim("E3b", {
    split: "It depends on what counts as seen.",
    says: "It makes none to whether the process gets the device.",
    evidence: [{ audit: ["user-dma/siblings/merged", "user-dma/siblings/at-open"], observe: ["GET_DEVICE_FD"], is: "equivalent" }],
    verdict: "equivalent",
    reading:
      "Of one process that asks for the device whatever it was answered before, and of nothing else: it may get it or not in either.",
  }),
  claim("E3c", {
    split: "It depends on what counts as seen.",
    says: "It makes none to whether the process gets the device and a driver the sibling.",
    evidence: [{ audit: ["user-dma/siblings/merged", "user-dma/siblings/at-open"], observe: ["GET_DEVICE_FD", "bind"], is: "equivalent" }],
    verdict: "differs",
    reading:
      "Taken with the group, a driver can be refused, in user-dma/idle-group/merged too, for the sake of a process that then never opens the device. Taken at the opening nothing can be seen that cannot be seen of the other.",
    finding: "when-a-group-is-taken-can-be-seen.md",
  }),
  claim("E4", {
    says: "VFIO's rule that a group is in a security context before a device of it is opened holds in both.",
    evidence: holdsIn(
      "O13",
      "user-dma/siblings/merged",
      "user-dma/siblings/at-open",
      "user-dma/transmitting/merged",
      "user-dma/transmitting/at-open",
      "user-dma/failing/merged",
      "user-dma/failing/at-open",
    ),
    verdict: "holds",
    reading:
      "While a device is open its group, and every device of that, is on a domain of the container. At the opening it holds because claim and attach come before the descriptor is given out, under the lock of VFIO's group; the mutant that opens first breaks it.",
  }),
  claim("E5a", {
    split: "The notifier is one thing, what VFIO asks of drivers when a device is opened another, and the sketch a third.",
    says: "With ownership as merged the group notifier has no effect that can be seen: to remove it changes nothing.",
    evidence: [
      { audit: ["user-dma/siblings/listening", "user-dma/siblings/deaf"], is: "equivalent" },
      { audit: ["user-dma/siblings-vfio/listening", "user-dma/siblings-vfio/deaf"], is: "equivalent" },
      { audit: ["user-dma/siblings-stub/listening", "user-dma/siblings-stub/deaf"], is: "equivalent" },
    ],
    verdict: "equivalent",
    reading:
      "Every event, with the ends of behaviours, is the same. What the notifier did was BUG_ON(), of which before v5.19 the process and the driver show enough (E6). A warning is no event: that of a device that joins a group in use goes with the notifier.",
  }),
  claim("E5b", {
    split: "The notifier is one thing, what VFIO asks of drivers when a device is opened another, and the sketch a third.",
    says: "The same of what VFIO asks of drivers when a device is opened (vfio_group_viable()).",
    evidence: [{ audit: ["user-dma/siblings/looking", "user-dma/siblings/listening"], is: "equivalent" }],
    verdict: "differs",
    reading:
      "It looks at dev->driver, which is set before dma_configure is called: while a driver is on its way to being refused because the process has the group, that process is refused its device too. Also a driver that is on its way out, and counts no more, is still seen. Without the look neither happens.",
  }),
  claim("E5c", {
    split: "The notifier is one thing, what VFIO asks of drivers when a device is opened another, and the sketch a third.",
    says: "With ownership as sketched the group notifier has no effect that can be seen.",
    evidence: [{ audit: ["user-dma/joins/sketch-listening", "user-dma/joins/sketch-deaf"], is: "equivalent" }],
    verdict: "differs",
    reading:
      "Where the sketch fails (E1b) the notifier still does what it did before: it hears of the driver that the sketch has let through, and stops the kernel.",
    finding: "sketch-takes-ownership-before-there-is-a-group.md",
  }),
  claim("E6", {
    says: "Before ownership the notifier enforces after the fact: a driver's DMA and the user's overlap in some order, or the kernel stops.",
    evidence: [
      ...violatedIn("bug-on", "user-dma/siblings/before", "viability/bind-sibling"),
      ...violatedIn("O2-user", "user-dma/siblings/before", "viability/bind-sibling"),
      ...violatedIn("O11", "user-dma/siblings/before"),
      ...violatedIn("O12", "user-dma/siblings/before"),
    ],
    verdict: "holds",
    reading:
      "Both, and one after the other: the driver is at work from its probe, the process has its domain attached, and when the notifier hears of it BUG_ON() is all that is left. It comes as soon as the group is in a container, whether or not a device of it is open, or could reach anything.",
  }),
  claim("E7", {
    says: "A group with one device on a kernel driver and another given to a user is refused, in both orders and under races.",
    evidence: [
      ...holdsIn("O11", "user-dma/transmitting/sketch", "user-dma/transmitting/merged", "user-dma/transmitting/at-open"),
      ...holdsIn("O12", "user-dma/transmitting/sketch", "user-dma/transmitting/merged", "user-dma/transmitting/at-open"),
      ...holdsIn("O2-user", "user-dma/transmitting/sketch", "user-dma/transmitting/merged", "user-dma/transmitting/at-open"),
      ...holdsIn("O11", "user-dma/failing/sketch", "user-dma/failing/merged", "user-dma/failing/at-open"),
      ...holdsIn("O12", "user-dma/failing/sketch", "user-dma/failing/merged", "user-dma/failing/at-open"),
      ...violatedIn("O11", "user-dma/siblings/before"),
      ...violatedIn("O12", "user-dma/siblings/before"),
    ],
    verdict: "holds",
    reading:
      "Both refusals are reached, or the two properties would be vacuous. The exceptions are claims of their own: a device without a group when the sketch asks (E1b), a driver that stops late (E9), a driver that is exempt and should not be (E10b).",
  }),
  claim("E8", {
    says: "That the driver core calls IOMMU functions is no problem of lock order or re-entrance.",
    evidence: [
      ...holdsIn("lockdep", "user-dma/locks/sketch", "user-dma/locks/merged", "user-dma/joins/sketch", "user-dma/joins/merged"),
      ...holdsIn("stuck", "user-dma/locks/sketch", "user-dma/locks/merged", "user-dma/joins/sketch", "user-dma/joins/merged"),
      ...holdsIn(
        "lockdep",
        "user-dma/transmitting/sketch",
        "user-dma/transmitting/merged",
        "user-dma/unread/sketch",
        "user-dma/unread/merged",
      ),
    ],
    verdict: "holds",
    reading:
      "The device's lock is outside, the group's mutex inside, also when dma_configure probes the device at the IOMMU, while that registers, and when the type file takes both; nothing that holds a group's mutex waits for a device's lock. A claim that looked at the drivers of a group under their devices' locks would close the circle.",
  }),
  claim("E9", {
    says: "Where ownership is given back relative to the release of managed resources differs between the sketch and what was merged, and a user can claim the group in between.",
    evidence: [
      {
        audit: ["user-dma/managed/merged", "user-dma/managed/sketch"],
        observe: ["SET_CONTAINER", "devres_release_all"],
        is: "a-allows-more",
      },
      ...violatedIn("O2-user", "user-dma/managed/merged"),
      ...holdsIn("O2-user", "user-dma/managed/sketch"),
      ...holdsIn("K1", "user-dma/managed/merged"),
    ],
    verdict: "holds",
    reading:
      "As merged, a process can have the group while the device of a driver that is stopped by a managed resource (as that of pcim_enable_device()) is still doing DMA, now in the process's domain; memory of the kernel is out of its reach. The sketch gives ownership back behind devres_release_all(), and does not allow it.",
    finding: "ownership-given-back-before-managed-resources.md",
  }),
  claim("E10a", {
    split: "Which drivers have to be exempt is one question, which must not be another.",
    says: "VFIO's drivers, pci-stub and the drivers of ports and bridges have to be exempt from taking kernel ownership: if one is not, no process gets a group in which it is bound.",
    evidence: [
      ...holdsIn("O14", "user-dma/exempt/vfio/merged", "user-dma/exempt/stub/merged", "user-dma/exempt/port/merged"),
      ...violatedIn("O14", "user-dma/exempt/no-vfio/merged", "user-dma/exempt/no-stub/merged", "user-dma/exempt/no-port/merged"),
      ...holdsIn("O14", "user-dma/exempt/no-port-apart/merged"),
    ],
    verdict: "holds",
    reading:
      "VFIO's own would lock VFIO out of every group. pci-stub is what an administrator parks a sibling on, and a port shares the group of what is below it if no ACS keeps them apart; where it does, a port's driver need not be exempt. The sketch as it stands in the mail exempts nobody.",
  }),
  claim("E10b", {
    split: "Which drivers have to be exempt is one question, which must not be another.",
    says: "It does no harm to exempt a driver that uses the DMA API.",
    evidence: [...holdsIn("O2-user", "user-dma/exempt/net/merged"), ...holdsIn("O11", "user-dma/exempt/net/merged")],
    verdict: "refuted",
    reading: "Nobody counts it, and nobody is refused: that driver_managed_dma is set rightly is the driver's word alone.",
  }),
];
