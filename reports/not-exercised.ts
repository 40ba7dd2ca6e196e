/** Why the bundled suites leave some places of the models unexercised: printed by `iommu-mc check --coverage`. */
import type { NotExercised } from "iommu-mc";

const iommu = "models/linux/iommu.ts";
const drivers = "models/linux/drivers.ts";

/** Procedures of another version than the base of the suites: `--revert` or `--apply` exercises them. */
const otherVersions: readonly NotExercised[] = [
  ...["__iommu_group_set_domain_internal", "revert_up_to", "__iommu_device_set_domain", "__iommu_group_set_domain_nofail"].map(
    (procedure) => ({ file: iommu, procedure, reason: "of v6.5: only with --apply dcf40ed3a20d" }),
  ),
  { file: iommu, procedure: "__iommu_detach_group", reason: "of v5.19: only with --revert 0286300e6045" },
  { file: "models/linux/vfio/vfio-main.ts", procedure: "wait_for_opened_file", reason: "of v6.1-rc1: only with --revert 3dd59a7dcb97" },
  { file: "models/linux/iommu/default-domain.ts", procedure: "store_type_locked", reason: "of v6.4: only with --apply 49a22aae7d9c" },
];

const noDetachDev = "only where a group has no default domain and its driver has detach_dev";

/** Places that need a topology or an era that no suite has. */
const otherSettings: readonly NotExercised[] = [
  { file: iommu, procedure: "__iommu_detach_device", reason: noDetachDev },
  { file: drivers, procedure: "detach_dev", reason: noDetachDev },
  { file: drivers, procedure: "intel_iommu_detach_device", reason: noDetachDev },
];

export const notExercised: readonly NotExercised[] = [...otherVersions, ...otherSettings];
