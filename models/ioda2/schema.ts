/**
 * The state of powernv's TCE tables in 2015, and of VFIO's container for them. It is a model of its own because the descriptor of a
 * table (`iommu_table`) and its memory go different ways here: the series that reworked ownership first had descriptors in the PE
 * itself, which are filled, cleared and copied; only what was merged allocates them. models/ppc64 has them as v4.12 counts them.
 */
import { abstraction, counter, enumeration, flag, list, mutex, ref, schema, setOf, type View } from "iommu-mc";

export const ioda2 = schema({
  /** What of the machine is not Linux's: OPAL, and memory that is short. */
  machine: {
    pes: list("iommu_table_group", 2),
    /** Whose tables cannot be made, or cannot be set: those that VFIO asks for, or the kernel's own. */
    short_of: enumeration("nothing", "users_tables", "kernels_tables"),
    /** OPAL may refuse to take a window away. */
    opal_keeps_windows: flag(),
    /** OPAL may refuse to turn a bypass off. */
    opal_keeps_bypass: flag(),
    /** RLIMIT_MEMLOCK of the processes is too small for a table. */
    has_low_memlock: flag(),
  },
  /** A page of memory that DMA may reach. */
  page: {
    /** References that VFIO has taken (get_user_pages). */
    pins: counter(2),
    is_users: flag().ghost(),
  },
  /** The memory of a TCE table: what a TVT entry points to. It has one entry. */
  tce_memory: {
    entry: ref("page"),
    is_users: flag().ghost(),
  },
  /** `it_map` of a table, one bit. */
  bitmap: {
    bit: flag(),
  },
  iommu_table_ops: {
    /** `free` is not NULL. */
    has_free: flag(),
  },
  /** The descriptor of a table. */
  iommu_table: {
    /** `it_base`, and `it_size`, which is 0 without it. */
    it_base: ref("tce_memory"),
    it_map: ref("bitmap"),
    it_ops: ref("iommu_table_ops"),
    /** Whose TCE caches are invalidated when an entry changes: `it_group_list`, or the one `it_table_group` of an embedded descriptor. */
    it_group_list: setOf("iommu_table_group"),
  },
  /** Which callbacks are there beside take_ownership and release_ownership. */
  iommu_table_group_ops: {
    has_create_table: flag(),
    has_set_window: flag(),
    has_unset_window: flag(),
  },
  /** An iommu_table_group with the pnv_ioda_pe around it, and the iommu_group that VFIO opens. */
  iommu_table_group: {
    ops: ref("iommu_table_group_ops"),
    /** `tables[0]`: the pointer, or the place of the descriptor that is embedded. */
    table0: ref("iommu_table"),
    /** TVT entry 0: the window. */
    tve0: ref("tce_memory"),
    /** TVT entry 1 lets everything through untranslated. */
    bypass: flag(),
    /** A PHB of IODA2: there is such an entry. */
    has_bypass: flag(),
    tce_bypass_enabled: flag(),
    /** Pages that are still reached through what the PHB remembers of entries. */
    tce_cache: setOf("page"),
    devices: list("device", 2),
    is_bus: flag(),
    /** Ownership was asked for, and since then not given back. */
    is_taken: flag().ghost(),
  },
  device: {
    pe: ref("iommu_table_group"),
    driver: enumeration("none", "native", "vfio_pci"),
    /** `archdata`: the table that the DMA API uses. */
    iommu_table_base: ref("iommu_table"),
    /** Its driver calls dma_set_mask() when it is bound. */
    sets_mask: flag(),
    /** Its driver leaves its buffer mapped when it is unbound. */
    forgets_unmap: flag(),
    /** Its buffer. */
    buffer: ref("page"),
    is_mapped: flag(),
  },
  tce_container: {
    lock: mutex(),
    /** Up to v4.1 and in the series so far: one group. */
    grp: ref("iommu_table_group").guardedBy("lock"),
    /** Since there may be several. */
    group_list: list("iommu_table_group", 2).guardedBy("lock"),
    table0: ref("iommu_table").guardedBy("lock"),
    /** The page of its process. */
    guest: ref("page"),
  },
});

abstraction("a TCE table has one entry", "may miss a bug", ioda2);
abstraction("a PE's second window is there for the bypass alone: no process asks for one of its own", "may miss a bug", ioda2);
abstraction("a device has the DMA of any entry of its window in flight, so that the PHB remembers what it could", "may cry wolf", ioda2);
abstraction("an iommu_group is its table group; devices neither come nor go", "may miss a bug", ioda2);

export type Page = View<typeof ioda2, "page">;
export type TceMemory = View<typeof ioda2, "tce_memory">;
export type IommuTable = View<typeof ioda2, "iommu_table">;
export type TableGroup = View<typeof ioda2, "iommu_table_group">;
export type TableGroupOps = View<typeof ioda2, "iommu_table_group_ops">;
export type Device = View<typeof ioda2, "device">;
export type TceContainer = View<typeof ioda2, "tce_container">;

/** Who asks for a table or a window. */
export type Asker = "users_tables" | "kernels_tables";

// A view names a place and holds no data, so that of the machine may stand at module level.
export const machine = ioda2.struct("machine").view(0) as unknown as View<typeof ioda2, "machine">;
export const pnv_ioda2_iommu_ops = ioda2.struct("iommu_table_ops").view(0) as unknown as View<typeof ioda2, "iommu_table_ops">;
