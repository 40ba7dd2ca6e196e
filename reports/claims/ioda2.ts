import type { Claim, Evidence } from "iommu-mc";

const results = ["VFIO_GROUP_SET_CONTAINER", "VFIO_GROUP_UNSET_CONTAINER", "VFIO_IOMMU_MAP_DMA"];

/** All of a suite's checks of that name come out so. */
function each(is: "holds" | "violated", suite: string, ...checks: readonly string[]): Evidence[] {
  return checks.map((check) => ({ suite: `ioda2/${suite}`, check, is }));
}

/** A claim of the thread "vfio: powerpc/spapr: powerpc/powernv/ioda2: Rework ownership" of 2015. */
function claim(one: Omit<Claim, "system">): Claim {
  return { system: "ioda2", ...one };
}

const firmware = "OPAL may refuse what it is asked, and nobody looks: that is another question.";

/** What was said of IODA2's ownership in 2015. Suites of v9-25 are the patch as posted, those of 46d3e1e16294 as merged. */
export const ioda2Claims: readonly Claim[] = [
  claim({
    id: "D1a",
    split: firmware,
    says: "After take_ownership no window, table or bypass of the kernel is in reach of the PE's devices, so that a process reaches only what it has mapped",
    evidence: [
      ...each("holds", "lend/v9-25", "O5-ioda2"),
      ...each("holds", "lend/46d3e1e16294", "O5-ioda2"),
      ...each("holds", "forgotten-buffer/v9-25", "O5-ioda2"),
      ...each("holds", "forgotten-buffer/46d3e1e16294", "O5-ioda2"),
      ...each("violated", "forgotten-buffer/4793d65d1ac0", "O5-ioda2"),
    ],
    verdict: "holds",
    reading:
      "Whatever drivers have left mapped, the patch is right, and does better than it says: before it (the last piece of evidence) the callback took the bitmap, and did not ask whether it got it: a buffer that a driver had left mapped was then the process's to reach, and its first map gave back a page that was not its own. Taking the table away makes the question moot.",
  }),
  claim({
    id: "D1b",
    split: firmware,
    says: "After take_ownership a process reaches only what it has mapped, also if OPAL refuses to turn the bypass off",
    evidence: [...each("holds", "opal-keeps-bypass/v9-25", "O5-ioda2"), ...each("holds", "opal-keeps-bypass/46d3e1e16294", "O5-ioda2")],
    verdict: "refuted",
    reading:
      "pnv_pci_ioda2_set_bypass() says that OPAL refused and returns nothing, take_ownership is void, and the process has the bypass: all of memory. That it can happen is not known; that it would go unnoticed is certain, and is so in 7.2.13.",
    finding: "bypass-that-stays-on.md",
  }),
  claim({
    id: "D2",
    says: "Before release_ownership VFIO has removed every table that it created; after it the kernel's default window works and the bypass is on",
    evidence: ["lend/v9-25", "lend/46d3e1e16294", "lend/4.2"].flatMap((suite) =>
      each("holds", suite, "O10-removed", "T5-window", "V2-ioda2"),
    ),
    verdict: "holds",
    reading:
      "As long as nothing fails (D4) and OPAL takes windows away (D6b). Since a container may have several groups (4.2) its table outlives the detach; it is out of the window, and freed with the container.",
  }),
  claim({
    id: "D3a",
    split: "The patch as posted and the later tree come out differently.",
    says: "As posted, an attach for which no table can be made, or none set, hands the group back, and the kernel can still use the device",
    evidence: each("holds", "attach-fails/v9-25", "O10-ioda2", "T5-window", "V2-ioda2"),
    verdict: "refuted",
    reading:
      "The error goes to unlock_exit: ownership stays taken, the window is empty or has the process's table, the bypass is off, and no container has the group, so that no detach will give it back. A driver that is bound then finds no place in the table; the next attach that works repairs it.",
    finding: "failed-attach-keeps-the-pe.md",
  }),
  claim({
    id: "D3b",
    split: "The patch as posted and the later tree come out differently.",
    says: "In the later tree an attach for which no table can be made, or none set, hands the group back, nothing leaks, and the kernel can still use the device",
    evidence: ["attach-fails/46d3e1e16294", "attach-fails/4.2", "two-groups-fail/4.2"].flatMap((suite) => each("holds", suite, "all")),
    verdict: "holds",
    reading: "With one failure. If the kernel's table cannot be made either, D4 applies.",
  }),
  claim({
    id: "D4a",
    split: "It is two questions: who can do DMA, and what becomes of the group.",
    says: "When release_ownership cannot make or set the default table, nobody can do DMA through the PE: it has no window, and no bypass",
    evidence: [
      ...["release-fails/v9-25", "release-fails/46d3e1e16294", "release-fails/4.2"].flatMap((suite) =>
        each("holds", suite, "O5-nobody", "L2-ioda2"),
      ),
      { suite: "ppc64/one-failure/ioda2-6.12", check: "O10-tables", is: "violated" },
    ],
    verdict: "holds",
    reading:
      "It returns before the bypass is on. Since 4be518d83880 (v5.13) it goes on, so that a device with a mask of 64 bits works; that bypass is then left to the next process, which is the last piece of evidence.",
  }),
  claim({
    id: "D4b",
    split: "It is two questions: who can do DMA, and what becomes of the group.",
    says: "A group whose default table could not be made or set can be used again, by drivers of the host and by the next process",
    evidence: ["release-fails/v9-25", "release-fails/46d3e1e16294", "release-fails/4.2"].flatMap((suite) =>
      each("holds", suite, "V2-ioda2", "null-deref"),
    ),
    verdict: "refuted",
    reading:
      "release_ownership is void: VFIO takes the group for the kernel's. Drivers of the host cannot map. As posted the next process gets a window of its own, and a later detach tries again; as merged take_ownership frees a table that is not there, and the kernel crashes.",
    finding: "second-attach-frees-no-table.md",
  }),
  claim({
    id: "D5a",
    says: "unset_window() clears the descriptor in the PE, so that the detach has to clear and free the table through a copy",
    evidence: [...each("holds", "lend/v9-25", "L3-back"), ...each("violated", "lend/no-copy", "L3-back", "leak")],
    verdict: "holds",
    reading:
      "Without one (no-copy) the process's page stays pinned, and its table is never freed. But then the same patch needs a copy in take_ownership too, and has none there: it frees the kernel's table through the descriptor that unset_window() has cleared, and loses it at every attach. As merged a pointer is kept in both places. The text of unset_window() in v9 was not to be had; if it does not clear the descriptor, it is the copy that is superfluous.",
    finding: "table-freed-through-a-cleared-descriptor.md",
  }),
  claim({
    id: "D5b",
    says: "In v8 the attach built the table from a descriptor on the stack, and the detach calls it_ops->free through what came of it; in v9 it does not",
    evidence: [...each("violated", "lend/v8-25", "null-deref"), ...each("holds", "lend/v9-25", "null-deref")],
    verdict: "holds",
    reading:
      "The text of v8 was not to be had: that the variable has no it_ops, and that set_window() stores it over the PE's descriptor, is what v9's list of changes implies. By the same reading the first map would crash before the detach does.",
  }),
  claim({
    id: "D6a",
    split: firmware,
    says: "A detach that unsets the window, clears the entries and frees the table gives no page back while hardware reaches it, and of the five other orders only that which clears first is as safe",
    evidence: [
      ...each("holds", "lend/v9-25", "L3-put", "L2-ioda2", "use-after-free"),
      ...each("holds", "lend/46d3e1e16294", "L3-put", "L2-ioda2", "use-after-free"),
      ...each("holds", "lend/clear-unset-free", "L3-put", "L2-ioda2", "use-after-free"),
      ...each("violated", "lend/unset-free-clear", "use-after-free"),
      ...each("violated", "lend/clear-free-unset", "L2-ioda2"),
      ...each("violated", "lend/free-unset-clear", "L2-ioda2", "use-after-free"),
      ...each("violated", "lend/free-clear-unset", "L2-ioda2", "use-after-free"),
    ],
    verdict: "holds",
    reading:
      "All six orders are checked; the four others free what hardware walks, or clear what is freed. Clearing first is what 4ba2fdff2eb1 (v6.11) made of it for pSeries. That another thread of the process maps meanwhile is left out; of 6.1 that race is a finding (container-ioctls-without-a-lock.md).",
  }),
  claim({
    id: "D6b",
    split: firmware,
    says: "No page is given back, and no table freed, while hardware reaches it, also if OPAL refuses to take the window away",
    evidence: [
      ...each("holds", "opal-keeps-window/46d3e1e16294", "L3-put", "L2-ioda2"),
      ...each("holds", "opal-keeps-window/4ba2fdff2eb1", "L3-put", "L2-ioda2"),
    ],
    verdict: "refuted",
    reading:
      "Nobody asks whether the window is gone. The table is unlinked all the same, so that clearing an entry invalidates nothing, and its page is given back while the PHB may remember it; then the table is freed under the hardware. Clearing first (4ba2fdff2eb1) saves the pages, not the table.",
  }),
  claim({
    id: "D7",
    says: "Whether a PE has the callbacks or its bitmap is taken, a process has the same isolation, and the group can go to another process and back to the kernel",
    evidence: ["bitmap/v9-25", "bitmap/46d3e1e16294", "lend/v9-25", "lend/46d3e1e16294", "bus/v9-25"].flatMap((suite) =>
      each("holds", suite, "O5-ioda2", "O5-nobody", "O10-ioda2", "T5-window", "V2-ioda2", "L3-put", "L3-back"),
    ),
    verdict: "holds",
    reading:
      "Isolation is the same, what is refused is not: by the bitmap a group is refused whose driver has left a buffer mapped (ioda2/forgotten-buffer/4.1), by the callbacks it is given away, and the buffer's mapping with its table.",
  }),
  claim({
    id: "D8a",
    split: "Attach and detach come out differently.",
    says: "If take_ownership is there and create_table or set_window is not, the attach is refused, and nothing has changed",
    evidence: ["v9-25", "46d3e1e16294"].flatMap((design) =>
      ["without-create_table", "without-set_window"].flatMap((scene) => [
        ...each("holds", `${scene}/${design}`, "O10-refused", "O10-ioda2", "T5-window", "V2-ioda2"),
        ...each("violated", `${scene}/${design}`, "warn-on"),
      ]),
    ),
    verdict: "holds",
    reading: "It is asked before ownership is taken, and told by a WARN_ON_ONCE.",
  }),
  claim({
    id: "D8b",
    split: "Attach and detach come out differently.",
    says: "If unset_window is not there, the detach leaves nothing of the process's behind, and the group is the kernel's",
    evidence: ["v9-25", "46d3e1e16294"].flatMap((design) =>
      each("holds", `without-unset_window/${design}`, "O10-refused", "O5-nobody", "O10-ioda2", "T5-window", "L3-back"),
    ),
    verdict: "refuted",
    reading:
      "The attach does not ask for it, and succeeds. The detach then warns and returns: no container has the group, ownership stays taken, the process's table stays in the window with its page pinned, and devices go on reaching it. There is no such platform; the attach is where it should be asked.",
  }),
  claim({
    id: "D9",
    says: "When the groups of a container share its table, the detach of one leaves the others working",
    evidence: [
      ...each("holds", "two-groups/4.2", "all"),
      ...each("holds", "two-groups-fail/4.2", "all"),
      ...each("violated", "two-groups/free-at-detach", "L2-ioda2"),
    ],
    verdict: "holds",
    reading:
      "The patch itself has one group in a container. It holds of the series to its end, because the table became the container's; with the detach of this patch, which frees it, the other group's window would lead to freed memory.",
  }),
  claim({
    id: "D10a",
    split: "As posted the descriptor stays where it is, as merged it does not.",
    says: "As posted, devices that keep the pointer to their table (set_iommu_table_base) see the new table after a round of ownership",
    evidence: each("holds", "bus/v9-25", "T5-base", "V2-ioda2", "use-after-free"),
    verdict: "holds",
    reading: "The pointer is to the descriptor in the PE, which is cleared and filled, and does not move.",
  }),
  claim({
    id: "D10b",
    split: "As posted the descriptor stays where it is, as merged it does not.",
    says: "As merged, devices that keep the pointer to their table see the new table after a round of ownership",
    evidence: [
      ...each("holds", "bus/46d3e1e16294", "T5-base", "use-after-free"),
      ...each("holds", "bus/db08e1d53034", "T5-base", "use-after-free"),
    ],
    verdict: "refuted",
    reading:
      "release_ownership allocates a new table, and sets the pointer only of a PE that is one device. On a bus a driver that does not call dma_set_mask(), which then set it as well, maps in freed memory. Fixed by db08e1d53034 (v4.11).",
  }),
  claim({
    id: "D11a",
    split: "Whether anything is short makes the difference.",
    says: "The patch changes nothing that user space can see, other than more tables being created, as long as nothing is short",
    evidence: [
      { audit: ["ioda2/lend/v9-24", "ioda2/lend/v9-25"], observe: results, is: "equivalent" },
      { audit: ["ioda2/lend/4793d65d1ac0", "ioda2/lend/46d3e1e16294"], observe: results, is: "equivalent" },
      { audit: ["ioda2/forgotten-buffer/v9-24", "ioda2/forgotten-buffer/v9-25"], observe: results, is: "equivalent" },
      { audit: ["ioda2/lend/4793d65d1ac0", "ioda2/lend/46d3e1e16294"], is: "differ" },
    ],
    verdict: "equivalent",
    reading:
      "What a process is told by attach, map and detach is the same, also if a driver has left a buffer mapped; only tables are created more often, in which the last audit differs. The series as a whole does change something: in v4.1 a group whose driver had left a buffer mapped was refused with -EBUSY.",
  }),
  claim({
    id: "D11b",
    split: "Whether anything is short makes the difference.",
    says: "The patch changes nothing that user space can see if memory is short, or the process may lock little of it",
    evidence: [
      { audit: ["ioda2/attach-fails/v9-24", "ioda2/attach-fails/v9-25"], observe: results, is: "equivalent" },
      { audit: ["ioda2/low-memlock/4793d65d1ac0", "ioda2/low-memlock/46d3e1e16294"], observe: results, is: "equivalent" },
    ],
    verdict: "differs",
    reading:
      "An attach that could not fail before can now: a table has to be had first. And as merged the table's memory counts as locked by the process, so that one with a small RLIMIT_MEMLOCK is refused what it was given before.",
    finding: "locked-memory-for-an-attach.md",
  }),
];
