import { design } from "iommu-mc";
import { commits } from "./commits.js";
import { linux } from "./schema.js";

/** The kernel of the recorded traces: Debian 12's 6.1.176, which has these of the switchable commits as backports or from the start. */
export const linux61 = design({
  name: "linux-6.1",
  version: "6.1.176 (Debian 6.1.176-1)",
  schema: linux,
  commits,
  includes: [
    "bd421264ed30",
    "79659190ee97",
    "b54240ad4943",
    "0286300e6045",
    "ca5f21b25749",
    "3dd59a7dcb97",
    "ac9a5d522bb8",
    "01657bc14a39",
    "2cc73c5712f9",
    "a2e7e59a9426",
  ],
});
