import type { Commit } from "iommu-mc";

/**
 * The commits the model can be with and without, by the first twelve digits of their sha; what was posted and not merged, and what
 * nobody posted, has a name instead, and `since` the kernel that it was for.
 */
export const commits: Readonly<Record<string, Commit>> = {
  // With what precedes it in the series: take_ownership and release_ownership of a table group, which keep to the bitmap.
  "4793d65d1ac0": {
    subject: "vfio: powerpc/spapr: powerpc/powernv/ioda: Define and implement DMA windows API",
    since: "v4.2",
    year: 2015,
  },
  embedded: {
    subject: "(as posted, v9 and before) a table group has its descriptors in itself",
    since: "v4.2",
    year: 2015,
    needs: ["4793d65d1ac0"],
  },
  "v9-25": {
    subject: "(as posted, v9 25/32) vfio: powerpc/spapr: powerpc/powernv/ioda2: Rework ownership",
    since: "v4.2",
    year: 2015,
    needs: ["embedded"],
  },
  "v8-25": {
    subject: "(as posted, v8) the same; the attach makes its table in a descriptor on the stack",
    since: "v4.2",
    year: 2015,
    needs: ["v9-25"],
  },
  "46d3e1e16294": {
    subject: "vfio: powerpc/spapr: powerpc/powernv/ioda2: Use DMA windows API in ownership control",
    since: "v4.2",
    year: 2015,
    needs: ["4793d65d1ac0"],
  },
  // Its sha was not to be had: the name stands for it. The release is that of the series.
  "several-groups": {
    subject: "vfio: powerpc/spapr: a container has the tables, and several groups",
    since: "v4.2",
    year: 2015,
    needs: ["46d3e1e16294"],
  },
  db08e1d53034: {
    subject: "powerpc/powernv/ioda2: Update iommu table base on ownership change",
    since: "v4.11",
    year: 2017,
    needs: ["46d3e1e16294"],
  },
  "4ba2fdff2eb1": {
    subject: "vfio/spapr: Always clear TCEs before unsetting the window",
    since: "v6.11",
    year: 2024,
    needs: ["46d3e1e16294"],
  },
  "no-copy": {
    subject: "(what if) the detach of v9 keeps no copy of the descriptor",
    since: "v4.2",
    needs: ["v9-25"],
  },
  "free-before-clear": {
    subject: "(what if) the detach frees a table before it clears it",
    since: "v4.2",
    needs: ["46d3e1e16294"],
  },
  "free-before-unset": {
    subject: "(what if) the detach frees a table before it takes the window away",
    since: "v4.2",
    needs: ["46d3e1e16294"],
  },
  "free-at-detach": {
    subject: "(what if) the detach of one group of several frees their table, as it did while there was one",
    since: "v4.2",
    needs: ["several-groups"],
  },
};
