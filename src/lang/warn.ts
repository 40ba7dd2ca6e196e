import { context } from "./context.js";

/** The kernel's WARN_ON: reports (`warn-on`) if the condition is true, returns it, and the thread goes on. */
export function WARN_ON(condition: boolean, message = "WARN_ON"): boolean {
  if (condition) context().report("warn-on", message);
  return condition;
}

/** The kernel's BUG_ON: if the condition is true it is reported (`bug-on`) and nothing happens after it. */
export function BUG_ON(condition: boolean, message = "BUG_ON"): void {
  if (condition) context().fault("bug-on", message);
}
