/** The probes of a recording, in the language of `kprobe_events`: what is asked of whom, and where in this kernel it stands. */
import type { Btf, Parameter, Prototype } from "./btf.js";

/** Functions of the core and of those that it calls or is called by. No kernel has all of them. */
const FUNCTIONS: readonly string[] = [
  // The core: devices come and go.
  ...["iommu_device_register", "iommu_device_unregister", "bus_iommu_probe", "probe_iommu_group", "remove_iommu_group"],
  ...["iommu_probe_device", "__iommu_probe_device", "iommu_init_device", "iommu_deinit_device", "iommu_release_device"],
  ...["iommu_bus_notifier", "iommu_fwspec_init", "iommu_fwspec_free"],
  ...["acpi_iommu_fwspec_init", "of_iommu_configure", "viot_iommu_configure", "iommu_setup_dma_ops", "iommu_dma_init_fq"],
  // Groups.
  ...["pci_device_group", "iommu_group_alloc", "iommu_group_release", "iommu_group_add_device", "iommu_group_alloc_device"],
  ...["iommu_group_remove_device", "__iommu_group_remove_device", "__iommu_group_free_device"],
  // Domains: the default one, and which is attached.
  ...["iommu_domain_alloc", "__iommu_domain_alloc", "iommu_paging_domain_alloc", "iommu_paging_domain_alloc_flags"],
  ...["__iommu_paging_domain_alloc_flags", "iommu_domain_free", "iommu_alloc_default_domain", "iommu_group_alloc_default_domain"],
  ...["iommu_setup_default_domain", "iommu_create_device_direct_mappings", "iommu_group_create_direct_mappings"],
  ...["iommu_group_store_type", "iommu_change_dev_def_domain", "iommu_deferred_attach"],
  ...["iommu_attach_device", "iommu_detach_device", "iommu_attach_group", "iommu_detach_group", "__iommu_attach_group"],
  ...["__iommu_detach_group", "__iommu_attach_device", "__iommu_detach_device", "__iommu_device_set_domain"],
  ...["__iommu_group_set_domain", "__iommu_group_set_domain_internal", "__iommu_group_set_core_domain"],
  ...["pci_dev_reset_iommu_prepare", "pci_dev_reset_iommu_done"],
  // Who owns the DMA of a group.
  ...["iommu_device_use_default_domain", "iommu_device_unuse_default_domain", "pci_dma_configure", "pci_dma_cleanup"],
  ...["iommu_group_claim_dma_owner", "iommu_group_release_dma_owner", "iommu_device_claim_dma_owner", "iommu_device_release_dma_owner"],
  ...["__iommu_take_dma_ownership", "__iommu_release_dma_ownership", "__iommu_group_alloc_blocking_domain"],
  // Drivers of IOMMUs.
  ...["intel_iommu_probe_device", "intel_iommu_probe_finalize", "intel_iommu_release_device", "intel_iommu_is_attach_deferred"],
  ...["intel_iommu_attach_device", "intel_iommu_detach_device", "intel_iommu_domain_free", "device_block_translation"],
  ...["amd_iommu_probe_device", "amd_iommu_probe_finalize", "amd_iommu_release_device", "amd_iommu_is_attach_deferred"],
  ...["amd_iommu_attach_device", "amd_iommu_detach_device", "amd_iommu_domain_free", "amd_iommu_def_domain_type"],
  ...["amd_iommu_identity_attach", "blocked_domain_attach_device", "blocking_domain_attach_dev", "identity_domain_attach_dev"],
  ...["arm_smmu_probe_device", "arm_smmu_release_device", "arm_smmu_def_domain_type", "arm_smmu_device_group"],
  ...["arm_smmu_attach_dev", "arm_smmu_attach_dev_identity", "arm_smmu_attach_dev_blocked"],
  ...["viommu_probe", "viommu_probe_device", "viommu_probe_finalize", "viommu_release_device", "viommu_attach_dev"],
  ...["viommu_attach_identity_domain", "viommu_domain_free"],
  ...["spapr_tce_iommu_probe_device", "spapr_tce_iommu_release_device", "spapr_tce_iommu_device_group", "iommu_add_device"],
  ...["spapr_tce_platform_iommu_attach_dev", "spapr_tce_blocked_iommu_attach_dev", "spapr_tce_take_ownership"],
  "spapr_tce_release_ownership",
  // VFIO.
  ...["vfio_group_fops_open", "vfio_group_fops_release", "vfio_container_attach_group", "vfio_group_detach_container"],
  ...["vfio_register_group_dev", "vfio_unregister_group_dev", "vfio_device_fops_release", "vfio_device_set_group"],
  ...["vfio_device_remove_group", "vfio_iommu_type1_open", "vfio_iommu_type1_release", "vfio_iommu_type1_attach_group"],
  ...["vfio_iommu_type1_detach_group", "tce_iommu_attach_group", "tce_iommu_detach_group", "vfio_pci_probe", "vfio_pci_remove"],
  ...["vfio_pci_core_enable", "vfio_pci_core_disable", "vfio_pci_core_close_device"],
];

/** State of a group: the field, the member, and how it is printed. A member that this kernel has not is left out. */
const GROUP_STATE = [
  ["dom", "domain", "x64"],
  ["def", "default_domain", "x64"],
  ["blk", "blocking_domain", "x64"],
  ["ocnt", "owner_cnt", "u32"],
  ["owner", "owner", "x64"],
  ["rec", "recovery_cnt", "u32"],
] as const;

/** Types of parameters that lead to a device: the struct that they point to, and the way from there to its `struct device`. */
const DEVICES: ReadonlyMap<string, { readonly struct: string; readonly device: string }> = new Map([
  ["struct device *", { struct: "device", device: "" }],
  ["struct pci_dev *", { struct: "pci_dev", device: "dev." }],
]);

/** Kernels from 6.9 on keep the arguments for a probe of the return. */
const WITH_ARGUMENTS_AT_RETURN = [6, 9] as const;

/** Group of the events. */
export const PROBE_GROUP = "iommu_mc";

/** Calls that may be under way at once of a function, before returns are missed. */
const IN_FLIGHT = 64;

export interface ProbeSet {
  /** Lines of `kprobe_events`. */
  readonly lines: readonly string[];
  readonly functions: readonly string[];
  /** Those of which no BTF tells. */
  readonly withoutArguments: readonly string[];
}

/**
 * A line of `kprobe_events` for the call and one for the return of each function. A function that no BTF tells of is probed without its
 * arguments: it may not be there, or the compiler may have moved them.
 */
export function probeSet(btfs: readonly [Btf, ...Btf[]], release: string): ProbeSet {
  const withoutArguments: string[] = [];
  const lines = FUNCTIONS.flatMap((name) => {
    const btf = btfs.find((each) => each.prototype(name) !== null);
    const prototype = btf?.prototype(name);
    if (!btf || !prototype) {
      withoutArguments.push(name);
      return definitions(name, [], ["ret=$retval:s64"]);
    }
    const state = keepsArguments(release) ? stateAtReturn(btf, prototype, name) : [];
    return definitions(name, argumentFields(btf, prototype), [...resultFields(btf, prototype), ...state]);
  });
  return { lines, functions: FUNCTIONS, withoutArguments };
}

function definitions(name: string, atCall: readonly string[], atReturn: readonly string[]): string[] {
  return [
    [`p:${PROBE_GROUP}/${name}`, name, ...unique(atCall)].join(" "),
    [`r${IN_FLIGHT}:${PROBE_GROUP}/${name}_ret`, name, ...unique(atReturn)].join(" "),
  ];
}

function keepsArguments(release: string): boolean {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  const [since, sinceMinor] = WITH_ARGUMENTS_AT_RETURN;
  return major > since || (major === since && minor >= sinceMinor);
}

function argumentFields(btf: Btf, { parameters }: Prototype): string[] {
  const first = parameters.findIndex((parameter) => showsGroup(btf, parameter));
  return parameters.flatMap((parameter, number) => fieldsOf(btf, parameter, `$arg${number + 1}`, number === first));
}

/** The state as the function leaves it, of the first device or group that it was given, unless it gives the device back. */
function stateAtReturn(btf: Btf, { parameters }: Prototype, name: string): string[] {
  const first = parameters.findIndex((parameter) => showsGroup(btf, parameter));
  const parameter = parameters[first];
  if (parameter === undefined) return [];
  const ofDevice = DEVICES.has(btf.describe(parameter.type));
  if (ofDevice && /release|free/.test(name)) return [];
  return fieldsOf(btf, parameter, `$arg${first + 1}`, true);
}

function showsGroup(btf: Btf, { type }: Parameter): boolean {
  const text = btf.describe(type);
  return DEVICES.has(text) || text === "struct iommu_group *";
}

/** What is recorded of an argument; `withState`, of its group too. */
function fieldsOf(btf: Btf, { name, type }: Parameter, argument: string, withState: boolean): string[] {
  const text = btf.describe(type);
  const read = (field: string, struct: string, path: string, format: string) => memberField(btf, field, struct, path, argument, format);
  const state = (struct: string, way: string, id: string) => [
    ...read(id, struct, `${way}id`, "s32"),
    ...GROUP_STATE.flatMap(([field, member, format]) => read(field, struct, `${way}${member}`, format)),
  ];
  const device = DEVICES.get(text);
  if (device !== undefined) {
    const { struct, device: way } = device;
    const group = `${way}iommu_group`;
    return [
      ...read("dev", struct, `${way}kobj.name`, "string"),
      ...(withState ? [...read("grp", struct, group, "x64"), ...state(struct, `${group}->`, "dgid")] : []),
    ];
  }
  if (text === "struct iommu_group *")
    return [`grp=${argument}:x64`, ...(withState ? state("iommu_group", "", "gid") : read("gid", "iommu_group", "id", "s32"))];
  if (text === "struct group_device *") return read("gdev", "group_device", "dev->kobj.name", "string");
  if (text === "struct iommu_domain *") return [`arg_${name}=${argument}:x64`, ...read(`t_${name}`, "iommu_domain", "type", "x32")];
  if (text === "struct kobject *") return read("kobj", "kobject", "name", "string");
  if (text === "char *") return [`${name}=+0(${argument}):string`];
  const format = formatOf(btf, type);
  return name === "" || format === null ? [] : [`${name}=${argument}:${format}`];
}

function resultFields(btf: Btf, { returns }: Prototype): string[] {
  const format = formatOf(btf, returns);
  if (format === null) return [];
  const text = btf.describe(returns);
  const behind = (field: string, struct: string, path: string, as: string) => memberField(btf, field, struct, path, "$retval", as);
  return [
    `ret=$retval:${format}`,
    ...(text === "struct iommu_group *" ? behind("rgid", "iommu_group", "id", "s32") : []),
    ...(text === "struct iommu_domain *" ? behind("rt", "iommu_domain", "type", "x32") : []),
  ];
}

/** `dgid=+144(+712($arg1)):s32`; nothing if this kernel has no such member. */
function memberField(btf: Btf, field: string, struct: string, path: string, argument: string, format: string): string[] {
  const member = btf.path(struct, path);
  if (member === null) return [];
  // A text is behind the pointer that the member is.
  const offsets = format === "string" ? [...member.offsets, 0] : member.offsets;
  return [`${field}=${offsets.reduce((address, offset) => `+${offset}(${address})`, argument)}:${format}`];
}

/** Signed numbers and truth values in decimal, all else in hexadecimal; null for what is no number and no pointer. */
function formatOf(btf: Btf, type: number): string | null {
  if (/^_?bool$/i.test(btf.describe(type))) return "u8";
  const scalar = btf.scalar(type);
  return scalar === null ? null : `${scalar.signed ? "s" : "x"}${8 * scalar.size}`;
}

/** A name that is there already gets a number: two devices are dev and dev2. */
function unique(fields: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return fields.map((field) => {
    const [name] = field.split("=") as [string];
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? field : `${name}${count}${field.slice(name.length)}`;
  });
}
