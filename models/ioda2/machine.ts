/** Machines of powernv in 2015, as they are when they have booted. */
import { list_add_tail, type Make, type Scenario, scenario, type Thread } from "iommu-mc";
import { ioda2, machine, pnv_ioda2_iommu_ops, type TableGroup, type TceContainer } from "./schema.js";

export interface Pe {
  /** Of which PHB it is: IODA2's has callbacks and a bypass, those before have neither. */
  readonly phb: "ioda2" | "ioda1";
  /** How many devices it has; one is a PE of its own, two are a bus. Default 1. */
  readonly devices?: 1 | 2;
  /** Callbacks that it lacks. */
  readonly lacks?: readonly ("create_table" | "set_window" | "unset_window")[];
}

/** The objects a scenario's threads are given. */
export interface Objects {
  readonly containers: readonly TceContainer[];
  readonly pes: readonly TableGroup[];
}

export interface MachineOptions {
  readonly name: string;
  readonly describes: string;
  readonly pes: readonly Pe[];
  /** How many containers there are. Default 2. */
  readonly containers?: number;
  /** Drivers call dma_set_mask(). Default true. */
  readonly setsMask?: boolean;
  /** The first driver leaves its buffer mapped. Default false. */
  readonly forgetsUnmap?: boolean;
  /** What fails, once in a behaviour: tables and windows of processes or of the kernel, or what OPAL is asked for. */
  readonly fails?: "users_tables" | "kernels_tables" | "unset_window" | "set_bypass";
  /** RLIMIT_MEMLOCK is too small for a table. */
  readonly hasLowMemlock?: boolean;
  readonly threads: (objects: Objects) => readonly Thread[];
}

type MakeIoda2 = Make<typeof ioda2>;

/** A scenario on such a machine. */
export function machineScenario(options: MachineOptions): Scenario {
  const { name, describes, pes, fails, containers = 2 } = options;
  return scenario(ioda2, name, {
    describes,
    setting: pes.map(settingOf).join(", "),
    faults: fails === undefined ? 0 : 1,
    terminates: true,
    // A PE's table, that of a process in its place, and what takes the place of one that is freed while something points to it.
    pools: { tce_memory: 4 * pes.length + 2, iommu_table: 4 * pes.length + 2, bitmap: 3 * pes.length + 1 },
    setup(make) {
      makeMachine(make, options);
      const groups = pes.map((pe, number) => makePe(make, pe, number, options));
      return options.threads({ pes: groups, containers: Array.from({ length: containers }, (_, number) => makeContainer(make, number)) });
    },
  });
}

function settingOf({ phb, devices = 1, lacks = [] }: Pe): string {
  const without = lacks.length === 0 ? "" : ` without ${lacks.join(" and ")}`;
  return `PE of ${phb}${without}, ${devices === 1 ? "1 device" : "2 devices"}`;
}

function makeMachine(make: MakeIoda2, { fails, hasLowMemlock = false }: MachineOptions): void {
  make("machine", "machine", {
    short_of: fails === "users_tables" || fails === "kernels_tables" ? fails : "nothing",
    opal_keeps_windows: fails === "unset_window",
    opal_keeps_bypass: fails === "set_bypass",
    has_low_memlock: hasLowMemlock,
  });
  make("iommu_table_ops", "pnv_ioda2_iommu_ops", { has_free: true });
}

/** A PE that has booted: its table is in its window, its devices point to it, and the bypass is on if there is one. */
function makePe(make: MakeIoda2, { phb, devices = 1, lacks = [] }: Pe, number: number, options: MachineOptions): TableGroup {
  const isIoda2 = phb === "ioda2";
  const it_base = make("tce_memory", `tces${number}`);
  const table0 = make("iommu_table", `table${number}`, {
    it_base,
    it_map: make("bitmap", `it_map${number}`),
    it_ops: isIoda2 ? pnv_ioda2_iommu_ops : make("iommu_table_ops", "pnv_ioda1_iommu_ops"),
  });
  const ops = make("iommu_table_group_ops", `group_ops${number}`, {
    has_create_table: !lacks.includes("create_table"),
    has_set_window: !lacks.includes("set_window"),
    has_unset_window: !lacks.includes("unset_window"),
  });
  const pe = make("iommu_table_group", `pe${number}`, {
    ops: isIoda2 ? ops : null,
    table0,
    tve0: it_base,
    bypass: isIoda2,
    has_bypass: isIoda2,
    tce_bypass_enabled: isIoda2,
    is_bus: devices > 1,
  });
  table0.it_group_list.add(pe);
  list_add_tail(pe, machine.pes);
  for (let each = 0; each < devices; each++) {
    const dev = make("device", `000${number + 1}:01:00.${each}`, {
      pe,
      iommu_table_base: table0,
      sets_mask: options.setsMask ?? true,
      forgets_unmap: options.forgetsUnmap === true && each === 0,
      buffer: make("page", `buffer${number}.${each}`),
    });
    list_add_tail(dev, pe.devices);
  }
  return pe;
}

function makeContainer(make: MakeIoda2, number: number): TceContainer {
  return make("tce_container", `container${number}`, { guest: make("page", `guest${number}`, { is_users: true }) });
}
