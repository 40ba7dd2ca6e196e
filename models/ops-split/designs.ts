import { abstraction, type Design, design } from "iommu-mc";
import { commits } from "./commits.js";
import { opsSplit } from "./schema.js";

abstraction(
  "of v5.17 and v5.18 only patches were read: which tables there are is theirs, what the functions do is 5.10.223's and 6.1.176's",
  "may miss a bug",
  opsSplit,
);

function made(name: string, version: string, ...includes: readonly string[]): Design<typeof opsSplit> {
  return design({ name, version, schema: opsSplit, commits, includes });
}

const asOf517 = ["eea53c581688"];
const bySplit = [...asOf517, "3f6634d997db"];
const byMerge = [...bySplit, "9a630a4b41a2"];

/** One table, reached through the bus, of v5.12: write-only mappings are possible. */
export const ops512 = made("ops-5.12", "v5.12, one table reached through the bus");
/** The same, of which there is a source here, with Intel's apply_resv_region. */
export const ops510 = made("ops-5.10", "5.10.223, one table reached through the bus", ...asOf517);
/** One table, which the bus has and each domain points to. */
export const ops517 = made("ops-5.17", "v5.17, one table reached through the bus", ...asOf517);
/** The split as posted: each driver sets the domain's table when it allocates it. */
export const opsPosted = made("ops-posted", "v5.17 with the split as posted on 24 January 2022", ...bySplit, "ops-as-posted");
/** The split as merged: the core installs the driver's default table unless domain_alloc has set one. */
export const opsMerged = made("ops-merged", "v5.18, the split as merged", ...byMerge);
/** The question in review: attach_dev installs the table. */
export const opsAtAttach = made("ops-at-attach", "v5.17 with ops set at attach, as asked in review", ...bySplit, "ops-at-attach");
/** The answer: domain_alloc is reached from the device. */
export const opsFromDevice = made("ops-from-device", "v5.17 with domain_alloc reached from the device", ...bySplit, "alloc-from-device");
/** The merged form with a table for each kind of domain. */
export const opsByKind = made("ops-by-kind", "v5.18 with a table for each kind of domain", ...byMerge, "tables-by-kind");
/** The merged form with ops that are swapped for those of the format. */
export const opsByFormat = made("ops-by-format", "v5.18 with ops swapped in once the format is known", ...byMerge, "ops-by-format");
