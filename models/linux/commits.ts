import type { Commit } from "iommu-mc";

/** The commits the model can be with and without, by the first twelve digits of their sha, oldest release first. `since` and `year` are those of the first mainline release that has it. */
export const commits: Readonly<Record<string, Commit>> = {
  "797a8b4d768c": {
    subject: "iommu: Handle default domain attach failure",
    since: "v4.11",
    year: 2017,
  },
  bd421264ed30: {
    subject: "iommu: Fix deferred domain attachment",
    since: "v5.7",
    year: 2020,
  },
  "7cc31613734c": {
    subject: "iommu: Fix reference count leak in iommu_group_alloc.",
    since: "v5.7",
    year: 2020,
  },
  "79659190ee97": {
    subject: "iommu: Don't take group reference in iommu_alloc_default_domain()",
    since: "v5.8",
    year: 2020,
  },
  b54240ad4943: {
    subject: "iommu: Fix potential use-after-free during probe",
    since: "v5.17",
    year: 2022,
  },
  "71ff461c3f41": {
    subject: "iommu/omap: Fix regression in probe for NULL pointer dereference",
    since: "v5.18",
    year: 2022,
  },
  "1ea2a07a532b": {
    subject: "iommu: Add DMA ownership management interfaces",
    since: "v5.19",
    year: 2022,
  },
  "512881eacfa7": {
    subject: "bus: platform,amba,fsl-mc,PCI: Add device DMA ownership management",
    since: "v5.19",
    year: 2022,
    needs: ["1ea2a07a532b"],
  },
  "70693f470848": {
    subject: "vfio: Set DMA ownership for VFIO devices",
    since: "v5.19",
    year: 2022,
    needs: ["512881eacfa7"],
  },
  "31076af0cb00": {
    subject: "vfio: Remove use of vfio_group_viable()",
    since: "v5.19",
    year: 2022,
    needs: ["70693f470848"],
  },
  "93219ea94388": {
    subject: "vfio: Delete the unbound_list",
    since: "v5.19",
    year: 2022,
    needs: ["31076af0cb00"],
  },
  "3b86f317c9c7": {
    subject: "vfio: Remove iommu group notifier",
    since: "v5.19",
    year: 2022,
    needs: ["93219ea94388"],
  },
  a5f1bd1afacd: {
    subject: "iommu: Remove iommu group changes notifier",
    since: "v5.19",
    year: 2022,
    needs: ["3b86f317c9c7"],
  },
  e0e29bdb594a: {
    subject: "vfio: Fully lock struct vfio_group::container",
    since: "v5.19",
    year: 2022,
  },
  "0286300e6045": {
    subject: "iommu: iommu_group_claim_dma_owner() must always assign a domain",
    since: "v5.19",
    year: 2022,
    fixes: ["1ea2a07a532b"],
    needs: ["1ea2a07a532b"],
  },
  a4f124908617: {
    subject: 'Revert "iommu/of: Delete usage of driver_deferred_probe_check_state()"',
    since: "v6.0",
    year: 2022,
  },
  c919739ce472: {
    subject: "iommu/vt-d: Handle race between registration and device probe",
    since: "v6.1",
    year: 2022,
  },
  cbc040081fdf: {
    subject: "iommu/amd: Handle race between registration and device probe",
    since: "v6.1",
    year: 2022,
  },
  ca5f21b25749: {
    subject: "vfio: Follow a strict lifetime for struct iommu_group",
    since: "v6.1",
    year: 2022,
  },
  "3dd59a7dcb97": {
    subject: "vfio: Make the group FD disassociate from the iommu_group",
    since: "v6.1",
    year: 2022,
  },
  ac9a5d522bb8: {
    subject: "iommu/dma: Fix race condition during iova_domain initialization",
    since: "v6.0",
    year: 2022,
  },
  bf75eb44e11b: {
    subject: "iommu: Remove duplicate ida_free in iommu_group_alloc",
    since: "v6.1",
    year: 2022,
    fixes: ["7cc31613734c"],
    needs: ["7cc31613734c"],
  },
  "01657bc14a39": {
    subject: "iommu: Avoid races around device probe",
    since: "v6.2",
    year: 2023,
  },
  "2cc73c5712f9": {
    subject: "iommu: Attach device group to old domain in error path",
    since: "v6.3",
    year: 2023,
  },
  "4daa861174d5": {
    subject: "iommu: Fix error unwind in iommu_group_alloc()",
    since: "v6.3",
    year: 2023,
  },
  "1b932ceddd19": {
    subject: "iommu: Remove detach_dev callbacks",
    since: "v6.3",
    year: 2023,
  },
  dd8a25c557e1: {
    subject: "iommu: Remove deferred attach check from __iommu_detach_device()",
    since: "v6.3",
    year: 2023,
    needs: ["1b932ceddd19"],
  },
  dba9ca9d41f5: {
    subject: "iommu: Same critical region for device release and removal",
    since: "v6.4",
    year: 2023,
  },
  "49a22aae7d9c": {
    subject: "iommu: Replace device_lock() with group->mutex",
    since: "v6.4",
    year: 2023,
    needs: ["dba9ca9d41f5"],
  },
  dcf40ed3a20d: {
    subject: "iommu: Make __iommu_group_set_domain() handle error unwind",
    since: "v6.5",
    year: 2023,
    needs: ["0286300e6045"],
  },
  ecd60dc5d22b: {
    subject: "iommu: Use __iommu_group_set_domain() for __iommu_attach_group()",
    since: "v6.5",
    year: 2023,
    needs: ["dcf40ed3a20d"],
  },
  "4c8ad9da0566": {
    subject: "iommu: Use __iommu_group_set_domain() in iommu_change_dev_def_domain()",
    since: "v6.5",
    year: 2023,
    needs: ["dcf40ed3a20d"],
  },
  /** Here its part in __iommu_device_set_domain(); that the walk of a bus goes that way too is modelled with d99be00f42ea. */
  d257344c6619: {
    subject: "iommu: Replace __iommu_group_dma_first_attach() with set_domain",
    since: "v6.5",
    year: 2023,
    needs: ["dcf40ed3a20d", "dd8a25c557e1"],
  },
  "0046a4337eae": {
    subject: "iommu: Remove iommu_group_do_dma_first_attach() from iommu_group_add_device()",
    since: "v6.5",
    year: 2023,
    needs: ["d257344c6619"],
  },
  "152431e4fe7f": {
    subject: "iommu: Do iommu_group_create_direct_mappings() before attach",
    since: "v6.5",
    year: 2023,
  },
  e7f85dfbbc9c: {
    subject: "iommu: Fix iommu_probe_device() to attach the right domain",
    since: "v6.5",
    year: 2023,
  },
  /** With 8b4eb75ee50e and fcbb0a4d738c, which prepare it: the choice of the type, and of what is allocated. */
  d99be00f42ea: {
    subject: "iommu: Consolidate the default_domain setup to one function",
    since: "v6.5",
    year: 2023,
    needs: ["49a22aae7d9c", "ecd60dc5d22b", "4c8ad9da0566", "d257344c6619", "0046a4337eae", "152431e4fe7f", "e7f85dfbbc9c"],
  },
  "1000dccd5d13": {
    subject: "iommu: Allow IOMMU_RESV_DIRECT to work on ARM",
    since: "v6.5",
    year: 2023,
    needs: ["d99be00f42ea"],
  },
  "911476ef3c58": {
    subject: "iommu: Fix crash during syfs iommu_groups/N/type",
    since: "v6.5",
    year: 2023,
    needs: ["1000dccd5d13"],
  },
  "6eb4da8cf545": {
    subject: "iommu: Have __iommu_probe_device() check for already probed devices",
    since: "v6.6",
    year: 2023,
    needs: ["01657bc14a39"],
  },
  a48ce36e2786: {
    subject: "iommu: Prevent RESV_DIRECT devices from blocking domains",
    since: "v6.6",
    year: 2023,
    needs: ["dcf40ed3a20d"],
  },
  "6e6c6d6bc6c9": {
    subject: "iommu: Avoid unnecessary cache invalidations",
    since: "v6.6",
    year: 2023,
    needs: ["a48ce36e2786"],
  },
  "59ddce4418da": {
    subject: "iommu: Reorganize iommu_get_default_domain_type() to respect def_domain_type()",
    since: "v6.7",
    year: 2024,
    needs: ["d99be00f42ea"],
  },
  "98ac73f99bc4": {
    subject: "iommu: Require a default_domain for all iommu drivers",
    since: "v6.7",
    year: 2024,
    needs: ["24b1d476167d", "d99be00f42ea"],
  },
  a2e7e59a9426: {
    subject: "iommu: Avoid more races around device probe",
    since: "v6.7",
    year: 2024,
    needs: ["01657bc14a39"],
  },
  "24b1d476167d": {
    subject: "iommu: Remove ops->set_platform_dma_ops()",
    since: "v6.7",
    year: 2024,
    needs: ["dcf40ed3a20d", "1b932ceddd19"],
  },
  b67483b3c44e: {
    subject: "iommu/dma: Centralise iommu_setup_dma_ops()",
    since: "v6.10",
    year: 2024,
    needs: ["d99be00f42ea"],
  },
  b46064a18810: {
    subject: "iommu: Handle race with default domain setup",
    since: "v6.15",
    year: 2025,
  },
  "2b33598e666d": {
    subject: "iommu: Do not revert set_domain for the last gdev",
    since: "v6.19",
    year: 2026,
    needs: ["dcf40ed3a20d"],
  },
  "5d5388b0e190": {
    subject: "iommu: Lock group->mutex in iommu_deferred_attach()",
    since: "v7.0",
    year: 2026,
  },
};
