/** What turns the properties of probing red. */
import type { Cause } from "./cause.js";

export const causes: readonly Cause[] = [];
