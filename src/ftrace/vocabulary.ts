/**
 * What a kernel's records mean to the model of Linux: which function is which procedure, which of its fields name what, and which
 * records say exactly how a group stood.
 */
import type { TraceFields, TraceRecord, TraceValue } from "./record.js";

/** How arguments are called where a function was probed by hand, early in the boot, and by who calls them otherwise than the core does. */
const EARLY_NAMES: Readonly<Record<string, string>> = {
  d: "dev",
  g: "gid",
  t: "type",
  o: "dom",
  n: "arg_new_domain",
  m: "arg_domain",
  f: "flags",
  r: "ret",
  groupID: "gid",
  device: "dev",
  dgid: "gid",
  platform_domain: "arg_domain",
  t_platform_domain: "t_domain",
};

/** Types of domains by the bits that the kernel makes them of: blocked; paging; a DMA API domain; identity; a flush queue; a platform's own. */
const TYPES: Readonly<Record<number, string>> = { 0: "BLOCKED", 1: "UNMANAGED", 3: "DMA", 4: "IDENTITY", 11: "DMA_FQ", 32: "PLATFORM" };

/** A procedure's name for a function's. A driver's functions stand for what the core calls them by. */
const PROCEDURES: Readonly<Record<string, string>> = {
  pci_dma_configure: "dma_configure",
  pci_dma_cleanup: "dma_cleanup",
  intel_iommu_probe_finalize: "probe_finalize",
  amd_iommu_probe_finalize: "probe_finalize",
  intel_iommu_probe_device: "probe_device",
  amd_iommu_probe_device: "probe_device",
  viommu_probe_device: "probe_device",
  spapr_tce_iommu_probe_device: "probe_device",
  intel_iommu_release_device: "release_device",
  amd_iommu_release_device: "release_device",
  viommu_release_device: "release_device",
  spapr_tce_iommu_release_device: "release_device",
  iommu_domain_alloc: "recorded_domain_alloc",
  iommu_paging_domain_alloc: "recorded_domain_alloc",
  iommu_paging_domain_alloc_flags: "recorded_domain_alloc",
  iommu_domain_free: "recorded_domain_free",
  vfio_iommu_type1_open: "recorded_type1_open",
};

/** Functions that are procedures of the model under their own names. */
const SAME_NAME: readonly string[] = [
  "__iommu_attach_device",
  "__iommu_attach_group",
  "__iommu_detach_group",
  "__iommu_device_set_domain",
  "__iommu_group_remove_device",
  "__iommu_group_set_core_domain",
  "__iommu_group_set_domain",
  "__iommu_group_set_domain_internal",
  "__iommu_probe_device",
  "__iommu_release_dma_ownership",
  "__iommu_take_dma_ownership",
  "bus_iommu_probe",
  "iommu_attach_device",
  "iommu_attach_group",
  "iommu_bus_notifier",
  "iommu_create_device_direct_mappings",
  "iommu_deferred_attach",
  "iommu_deinit_device",
  "iommu_detach_device",
  "iommu_detach_group",
  "iommu_device_register",
  "iommu_device_unregister",
  "iommu_device_unuse_default_domain",
  "iommu_device_use_default_domain",
  "iommu_group_add_device",
  "iommu_group_alloc",
  "iommu_group_alloc_default_domain",
  "iommu_group_claim_dma_owner",
  "iommu_group_release_dma_owner",
  "iommu_group_remove_device",
  "iommu_group_store_type",
  "iommu_init_device",
  "iommu_probe_device",
  "iommu_release_device",
  "iommu_setup_default_domain",
  "iommu_setup_dma_ops",
  "pci_dev_reset_iommu_done",
  "pci_dev_reset_iommu_prepare",
  "pci_device_group",
  "probe_iommu_group",
  "remove_iommu_group",
  "spapr_tce_blocked_iommu_attach_dev",
  "spapr_tce_iommu_device_group",
  "spapr_tce_platform_iommu_attach_dev",
  "spapr_tce_release_ownership",
  "spapr_tce_take_ownership",
  "vfio_iommu_type1_attach_group",
  "vfio_iommu_type1_detach_group",
  "vfio_iommu_type1_release",
];

/** Of Intel's driver, where that is modelled with its translation structures. */
export const OF_INTEL: ReadonlySet<string> = new Set([
  "intel_iommu_attach_device",
  "blocking_domain_attach_dev",
  "identity_domain_attach_dev",
  "device_block_translation",
]);

/** Tracepoints that the model observes under the same names. */
export const TRACEPOINTS: ReadonlySet<string> = new Set(["add_device_to_group", "remove_device_from_group"]);

/** The functions that are modelled, by name, with the procedures that are theirs. */
export const PROCEDURE_OF: ReadonlyMap<string, string> = new Map([
  ...[...SAME_NAME, ...OF_INTEL].map((name) => [name, name] as const),
  ...Object.entries(PROCEDURES),
]);

/** Results below are pointers that were printed as signed. */
export const MAX_ERRNO = 4095;

export const ONE_STEP = "one step with its caller in the model";

/** Why there is nothing to compare a record of the function with. The rest is not modelled at all, or not by that name. */
export const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^mark$/, "a note of who recorded"],
  [/^(map|unmap|io_page_fault)$/, "mappings are not followed"],
  [/^attach_device_to_domain$/, "names neither domain nor group; the call of __iommu_attach_device around it does"],
  [/^(vfio|tce_iommu)_/, "of VFIO, of which what type1 does and what is asked of the IOMMU core are followed"],
  [
    /^(iommu_group_release|iommu_group_alloc_device|__iommu_group_free_device|__iommu_domain_alloc|__iommu_paging_domain_alloc_flags)$/,
    ONE_STEP,
  ],
  [
    /(_domain_free|_is_attach_deferred|_attach_device|_attach_dev|_detach_device|_def_domain_type|^device_block_translation|^iommu_dma_init_fq)$/,
    ONE_STEP,
  ],
];

/** Of these, which run with the group's mutex held, the state of the group is what the model's has to be; of others it may be old. */
export const UNDER_MUTEX: ReadonlySet<string> = new Set([
  "__iommu_attach_device",
  "__iommu_attach_group",
  "__iommu_detach_group",
  "__iommu_device_set_domain",
  "__iommu_group_set_core_domain",
  "__iommu_group_set_domain",
  "__iommu_group_set_domain_internal",
  "__iommu_release_dma_ownership",
  "__iommu_take_dma_ownership",
  "blocking_domain_attach_dev",
  "identity_domain_attach_dev",
  "intel_iommu_attach_device",
  "iommu_setup_default_domain",
  "spapr_tce_blocked_iommu_attach_dev",
  "spapr_tce_platform_iommu_attach_dev",
  "spapr_tce_release_ownership",
  "spapr_tce_take_ownership",
]);

/** Functions that compilers have put into some of their callers, so that a call of them may be without a record. */
export const MAY_BE_INLINED: ReadonlySet<string> = new Set([
  "__iommu_device_set_domain",
  "__iommu_group_set_domain_internal",
  "bus_iommu_probe",
  "iommu_release_device",
]);

/** Functions of which a compiler has made two, so that the probe is on the second; that has no arguments to be recorded. */
export const MAY_BE_SPLIT: ReadonlySet<string> = new Set(["__iommu_probe_device"]);

/** A domain that a record names. */
export interface RecordedDomain {
  /** `0x0` for NULL. */
  readonly pointer: string;
  /** Null where the record does not tell. */
  readonly type: string | null;
}

/** How a group stood. */
export interface RecordedGroup {
  /** It is the group of the device that is an argument, and not an argument itself. */
  readonly isOfDevice: boolean;
  readonly pointer: string | null;
  readonly id: number | null;
  /** Pointers, by the names of the model's fields. */
  readonly domains: Readonly<Partial<Record<"domain" | "default_domain" | "blocking_domain", string>>>;
  readonly owner: string | null;
  readonly owner_cnt: number | null;
  readonly recovery_cnt: number | null;
}

/** What a record says, by whatever names its probe has. */
export interface Facts {
  readonly dev: string | null;
  readonly group: RecordedGroup;
  /** The argument, or the result, that is a domain; and the one to change to. */
  readonly domain: RecordedDomain | null;
  readonly newDomain: RecordedDomain | null;
  readonly result: TraceValue;
  /** Number of the group that is the result. */
  readonly resultId: number | null;
  /** The argument that is a table group, of POWER. */
  readonly tableGroup: string | null;
  /** What VFIO's type1 keeps of a container: the argument, or the result of opening it. */
  readonly vfioIommu: string | null;
  /** A pointer that claims the group. */
  readonly claimant: string | null;
  readonly type: TraceValue;
  readonly flags: number | null;
}

/** The record's facts. */
export function factsOf({ fields, event }: TraceRecord): Facts {
  const named = withCommonNames(fields);
  const text = (name: string) => (typeof named[name] === "string" ? (named[name] as string) : null);
  const number = (name: string) => numberOf(named[name] ?? null);
  const type = number("type");
  return {
    // An IOMMU is a device too, but none that is behind one.
    dev: event === "iommu_device_register" ? null : text("dev"),
    group: {
      isOfDevice: "dgid" in fields,
      pointer: text("grp"),
      id: number("gid"),
      domains: {
        ...(text("dom") === null ? {} : { domain: text("dom") as string }),
        ...(text("def") === null ? {} : { default_domain: text("def") as string }),
        ...(text("blk") === null ? {} : { blocking_domain: text("blk") as string }),
      },
      owner: text("owner"),
      owner_cnt: number("ocnt"),
      recovery_cnt: number("rec"),
    },
    domain: domainOf(named, "domain", isDomainAttach(event) ? type : null) ?? returnedDomain(named),
    newDomain: domainOf(named, "new_domain", null),
    result: named.ret ?? null,
    resultId: number("rgid"),
    tableGroup: text("table_group"),
    vfioIommu: event.startsWith("vfio_iommu_type1_") ? (text("data") ?? openedBy(event, named.ret ?? null)) : null,
    claimant: text("owner2"),
    type: text("buf") ?? (type === null ? null : (TYPES[type] ?? type)),
    flags: number("flags") ?? number("arg_flags"),
  };
}

/** The pointer that it returns, which may have been printed as a signed number. */
function openedBy(event: string, result: TraceValue): string | null {
  if (event !== "vfio_iommu_type1_open" || !/^(0x[\da-f]+|-?\d+)$/.test(String(result))) return null;
  return `0x${BigInt.asUintN(64, BigInt(String(result))).toString(16)}`;
}

function withCommonNames(fields: TraceFields): TraceFields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [EARLY_NAMES[name] ?? name, value]));
}

/** Early probes have the domain's type beside it. */
function isDomainAttach(event: string): boolean {
  return event === "__iommu_attach_device";
}

function domainOf(fields: TraceFields, name: string, type: number | null): RecordedDomain | null {
  const pointer = fields[`arg_${name}`];
  if (typeof pointer !== "string") return null;
  const own = numberOf(fields[`t_${name}`] ?? null) ?? type;
  return { pointer, type: own === null || pointer === "0x0" ? null : (TYPES[own] ?? `type ${own}`) };
}

/** Functions that make a domain return it, with its type. */
function returnedDomain(fields: TraceFields): RecordedDomain | null {
  if (typeof fields.ret !== "string" || fields.rt === undefined) return null;
  const type = numberOf(fields.rt);
  return { pointer: fields.ret, type: type === null || fields.ret === "0x0" ? null : (TYPES[type] ?? `type ${type}`) };
}

export function numberOf(value: TraceValue): number | null {
  if (typeof value === "number") return value;
  if (value === null || !/^(0x[\da-f]{1,8}|-?\d+)$/i.test(value)) return null;
  return Number(value);
}
