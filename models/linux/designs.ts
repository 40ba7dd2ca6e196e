import { design } from "iommu-mc";
import { commits } from "./commits.js";
import { linux } from "./schema.js";

/** The kernel of the recorded traces: Debian 12's 6.1.176, which has two of the switchable commits as backports or from the start. */
export const linux61 = design({
  name: "linux-6.1",
  version: "6.1.176 (Debian 6.1.176-1)",
  schema: linux,
  commits,
  includes: ["0286300e6045", "2cc73c5712f9"],
});
