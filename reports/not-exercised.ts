/** Why the bundled suites leave some places of the models unexercised: printed by `iommu-mc check --coverage`. */
import type { NotExercised } from "iommu-mc";

/** A procedure, and where not all of it is meant a piece of the text that names the place. */
type Place = readonly [file: string, procedure: string, what?: string];

function because(reason: string, ...places: readonly Place[]): NotExercised[] {
  return places.map(([file, procedure, what]) => ({
    file: `models/linux/${file}.ts`,
    procedure,
    ...(what === undefined ? {} : { what }),
    reason,
  }));
}

export const notExercised: readonly NotExercised[] = [
  ...because(
    "of v6.5: only with --apply dcf40ed3a20d",
    ["iommu/attach", "__iommu_group_set_domain_internal"],
    ["iommu/attach", "revert_up_to"],
    ["iommu/attach", "__iommu_device_set_domain"],
    ["iommu/attach", "__iommu_group_set_domain_nofail"],
  ),
  ...because("of v5.19: only with --revert 0286300e6045", ["iommu/attach", "__iommu_detach_group"]),
  ...because("of v6.4: only with --apply 49a22aae7d9c", ["iommu/default-domain", "store_type_locked"]),
  ...because("of v6.1-rc1: only with --revert 3dd59a7dcb97", ["vfio/vfio-main", "wait_for_opened_file"]),
  ...because(
    "of v6.0: only with --revert ca5f21b25749",
    ["vfio/vfio-main", "isWaitingOnRemoval"],
    ["vfio/vfio-main", "vfio_group_fops_open", "isFileCounted()"],
    ["vfio/vfio-main", "vfio_group_fops_release", "isFileCounted()"],
    ["vfio/vfio-main", "vfio_group_release", "isRevokedOnRemoval()"],
    ["vfio/vfio-main", "vfio_device_remove_group", "isRevokedOnRemoval()"],
  ),
  ...because(
    "only where several devices of one group are bound to vfio-pci when one of them leaves, which no suite has",
    ["vfio/vfio-main", "vfio_device_remove_group", "refcount_dec_and_mutex_lock"],
    ["vfio/vfio-main", "refcount_dec_and_mutex_lock"],
  ),
  ...because("only with a VFIO group of another iommu_group on the list, while one is looked for", [
    "vfio/vfio-main",
    "__vfio_group_get_from_iommu",
  ]),
  ...because(
    "the suite of MediaTek's IOMMU has one device, and nothing fails in it",
    ["iommu-drivers/mtk-v1", "mtk_iommu_v1_domain_alloc"],
    ["iommu-drivers/mtk-v1", "mtk_iommu_v1_probe_device"],
    ["iommu-drivers/mtk-v1", "mtk_iommu_v1_release_device"],
  ),
  ...because(
    "only where a second group that cannot share the first one's domain joins a mediated device",
    ["vfio/replay", "vfio_iommu_replay", "d === null"],
    ["vfio/replay", "replay_one", "dma.iommu_mapped"],
    ["vfio/replay", "unwind_one"],
  ),
  ...because("only where VFIO's last driver leaves a group while something else happens to it", [
    "vfio/viability",
    "vfio_iommu_group_notifier",
    "!isListed",
  ]),
  ...because("nothing fails in the suites of 5.15's iommu_probe_device()", ["iommu/probe", "attach_with_little_locking"]),
  ...because("only where one device of a group is opened twice", ["vfio/vfio-main", "vfio_group_ioctl_get_device_fd", "isLast"]),
  ...because(
    "only after a failure in a container that has a group already: the suites with faults have one group",
    ["vfio/container", "__vfio_container_attach_groups"],
    ["vfio/type1", "attach_new_domain"],
    ["vfio/type1", "vfio_iommu_map"],
  ),
  ...because(
    "a test of the C that its callers here never fail",
    ["driver-core/dd", "deferred_probe_work_func"],
    ["driver-core/dd", "driver_deferred_probe_add"],
    ["driver-core/dd", "driver_register", "isMatching"],
    ["iommu-drivers/hardware", "registeredScope", "iommu === null"],
    ["iommu-drivers/amd", "amd_iommu_release_device"],
    ["iommu-drivers/virtio", "viommu_detach_dev"],
    ["iommu/group", "iommu_group_remove_device"],
    ["iommu/group-notifier", "republish_to_group", "group === null"],
    ["iommu/ownership", "iommu_device_unuse_default_domain", "group === null"],
    ["iommu/probe", "iommu_probe_device", "group !== null"],
    ["iommu/attach", "__iommu_domain_alloc", "ops === null"],
    ["iommu/attach", "iommu_attach_device", "group === null"],
    ["iommu/attach", "iommu_detach_device"],
    ["iommu/attach", "__iommu_group_set_domain", "group.domain === new_domain"],
    ["iommu/default-domain", "change_under_group_mutex", "prev_dom === null"],
    ["iommu/dma-cookie", "iommu_dma_init_domain", "cookie === null"],
    ["iommu/dma-map", "fq_flush_timeout", "fq === null"],
    ["iommu/firmware", "of_xlate"],
    ["iommu/firmware", "iommu_fwspec_free"],
    ["iommu/map", "__iommu_map"],
    ["iommu/map", "iommu_unmap_fast"],
    ["iommu/probe", "iommu_release_device", "device !== null"],
    ["vfio/type1", "vfio_iommu_type1_attach_group", "vfio_iommu_find_iommu_group"],
    ["vfio/type1", "vfio_iommu_domain_alloc"],
    ["vfio/vfio-main", "vfio_group_find_or_alloc", "iommu_group === null"],
  ),
  ...because("a device with ids at two IOMMUs, which the model leaves out", ["iommu/firmware", "iommu_fwspec_init", "existing !== null"]),
  ...because("a driver that puts a group on its own domain is counted as its user, so that -EPERM comes first", [
    "iommu/ownership",
    "iommu_group_claim_dma_owner",
  ]),
  ...because("a deferred device in a group without a default domain, under a driver with detach_dev: no suite has both", [
    "iommu/attach",
    "__iommu_detach_device",
    "is_attach_deferred",
  ]),
  ...because(
    "only where an attach or an allocation fails while a device joins a group that exists: the suites with faults register one device",
    ["iommu/attach", "__iommu_domain_alloc", "iommu_get_dma_cookie"],
    ["iommu/dma-cookie", "iommu_get_dma_cookie"],
  ),
  ...because(
    "allocations of the flush queue and of domain ids do not fail where there is an IOTLB: those suites have no faults, to stay small",
    ["iommu/dma-cookie", "iommu_dma_init_domain", "iommu_dma_init_fq"],
    ["iommu/dma-cookie", "iommu_dma_init_fq"],
    ["iommu-drivers/intel", "intel_iommu_attach_device_unlocked"],
    ["iommu-drivers/intel", "domain_add_dev_info"],
    ["iommu-drivers/intel", "domain_attach_iommu", "typeof id"],
  ),
  ...because(
    "only with two devices on one domain and an IOTLB, or with an IOTLB and no id: the suites have one of the two",
    ["iommu-drivers/intel", "domain_attach_iommu", "iommu_array"],
    ["iommu-drivers/intel", "domain_detach_iommu"],
    ["iommu-drivers/iotlb", "all_go_stale"],
    ["iommu-drivers/page-table", "unmap_pages"],
    ["iommu-drivers/page-table", "clear_pte"],
    ["iommu-drivers/page-table", "iotlb_sync"],
    ["iommu-drivers/page-table", "flush_iotlb_all"],
  ),
  ...because(
    "AMD's and virtio's drivers are not under registration, nor under failing probes: the suites for that are Intel's and the SMMU's",
    ["iommu-drivers/amd", "amd_iommu_probe_device", "iommu === null"],
    ["iommu-drivers/virtio", "viommu_probe_device", "fault"],
  ),
  ...because("only where a device under AMD's IOMMU is plugged in a second time", ["iommu-drivers/amd", "find_dev_data"]),
  ...because("only where two devices of one group need the same type", ["iommu/default-domain", "probe_alloc_default_domain"]),
  ...because("a range is mapped when its device comes, and each device has one", [
    "iommu/default-domain",
    "iommu_create_device_direct_mappings",
  ]),
  ...because(
    "only where the one device of a group is replaced by another between two critical sections, or the flush queue cannot be allocated",
    ["iommu/default-domain", "change_under_group_mutex", "prev_d"],
  ),
  ...because("attaches without the group's mutex are split for Intel's driver only", ["iommu-drivers/index", "attach_dev_unlocked"]),
  ...because(
    "a process whose open() fails: it has nothing to go on with",
    ["machine/workloads", "vfio_user_that_stays"],
    ["machine/workloads", "vfio_user_of_two"],
    ["machine/workloads", "attach_and_detach"],
    ["machine/workloads", "claim_with_reference"],
    ["machine/workloads", "type1_user"],
    ["machine/workloads", "attach_own_domain"],
  ),
];
