/** A table group with two DMA windows: drivers map pages of the first, a process takes both over, maps and unmaps. */
import {
  assume,
  choose,
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

const spapr = schema({
  table_group: {
    mutex: mutex(),
    owner: enumeration("kernel", "user").guardedBy("mutex"),
    users: counter(15).guardedBy("mutex"),
    first: ref("table"),
    second: ref("table"),
  },
  table: { group: ref("table_group"), exists: flag().guardedBy("group.mutex"), tces: list("tce", 15) },
  tce: { table: ref("table"), it_map: enumeration("free", "kernel", "user").guardedBy("table.group.mutex") },
});
type TableGroup = View<typeof spapr, "table_group">;
type Table = View<typeof spapr, "table">;

function* native_driver(group: TableGroup): Proc {
  for (;;) {
    yield idle();
    yield* mutex_lock(group.mutex);
    if (group.owner === "user") {
      mutex_unlock(group.mutex);
      continue;
    }
    const entry = group.first!.tces.at(choose("entry", indexes(group.first!)))!;
    assume(entry.it_map === "free");
    entry.it_map = "kernel";
    group.users++;
    mutex_unlock(group.mutex);
    yield* mutex_lock(group.mutex);
    entry.it_map = "free";
    group.users--;
    mutex_unlock(group.mutex);
  }
}

function* vfio_spapr_tce(group: TableGroup): Proc {
  for (;;) {
    yield idle();
    yield* mutex_lock(group.mutex);
    if (group.users > 0) {
      mutex_unlock(group.mutex);
      continue;
    }
    group.owner = "user";
    mutex_unlock(group.mutex);
    let attached = true;
    while (attached) {
      yield* mutex_lock(group.mutex);
      const what = choose("ioctl", ["map", "unmap", "create", "remove", "release"]);
      if (what === "map" || what === "unmap") {
        const table = choose("window", [group.first!, group.second!]);
        assume(table.exists);
        const entry = table.tces.at(choose("entry", indexes(table)))!;
        assume(entry.it_map === (what === "map" ? "free" : "user"));
        entry.it_map = what === "map" ? "user" : "free";
      } else if (what === "create") {
        assume(!group.second!.exists);
        group.second!.exists = true;
      } else {
        if (what === "remove") assume(group.second!.exists);
        clear(group.second!);
        if (what === "release") {
          clear(group.first!);
          group.first!.exists = true;
          group.owner = "kernel";
          attached = false;
        }
      }
      mutex_unlock(group.mutex);
    }
  }
}

function indexes(table: Table): number[] {
  return Array.from({ length: table.tces.length }, (_, index) => index);
}

/** Pages go with the window. */
function clear(table: Table): void {
  for (const entry of table.tces) entry.it_map = "free";
  table.exists = false;
}

/** So many drivers, and so many entries in each window. */
export function spaprWindows(drivers: number, entries: number): Suite {
  return suite({
    name: `bench/spapr-windows/${drivers}-${entries}`,
    design: design({ name: "spapr-windows", version: "bench", schema: spapr, commits: {}, includes: [] }),
    properties: [
      property({
        code: "owned",
        sentence: "A page is mapped only by who owns the group, and in a window that is there.",
        source: "The ownership rework of 2015.",
        seenRedBy: "vfio_spapr_tce() does not look at the users",
        window: windows(spapr).always("tce", ({ it_map, table }) => it_map === "free" || (it_map === table!.group!.owner && table!.exists)),
      }),
    ],
    scenario: scenario(spapr, "windows", {
      describes: "drivers map pages; a process takes the windows over",
      setup(make) {
        const group = make("table_group", "pe0");
        const table = (name: string, exists: boolean) => {
          const made = make("table", name, { group, exists });
          for (let entry = 0; entry < entries; entry++) list_add_tail(make("tce", `${name}[${entry}]`, { table: made }), made.tces);
          return made;
        };
        group.first = table("tables0", true);
        group.second = table("tables1", false);
        return [
          ...Array.from({ length: drivers }, (_, number) => thread(`driver${number}`, native_driver, group)),
          thread("qemu", vfio_spapr_tce, group),
        ];
      },
    }),
  });
}
