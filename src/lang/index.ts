/** Everything a model, property or suite file imports: `import { … } from "iommu-mc"`. */

export type { AuditEvidence, CheckEvidence, Claim, Evidence } from "./claim.js";
export type { Change, KnownBug, Switch } from "./corpus.js";
export { type Abstraction, abstraction, type Commit, type Design, design, type Errs, withCommits } from "./design.js";
export * from "./errno.js";
export { list_add, list_add_tail, list_del, list_empty, list_first_entry, list_first_entry_or_null, list_is_singular } from "./lists.js";
export { lockdep_assert_held, mutex_lock, mutex_trylock, mutex_unlock } from "./locks.js";
export { operations } from "./operations.js";
export { isFreed, kfree, kzalloc } from "./pools.js";
export { applied, assume, atomic, choose, data_race, fault, idle, observe, type Proc, until } from "./procedure.js";
export { type Judgement, type Property, property, type StateView, type Window, windows } from "./property.js";
export { kref_get, kref_init, kref_put, refcount_read } from "./refcounts.js";
export { type Make, type Scenario, scenario, type Thread, thread } from "./scenario.js";
export {
  counter,
  enumeration,
  flag,
  type ListView,
  list,
  type Mutex,
  mutex,
  type Refcount,
  ref,
  refcount,
  type Schema,
  type SetView,
  schema,
  setOf,
  type View,
} from "./schema.js";
export { type Expectation, type NotExercised, type Suite, suite } from "./suite.js";
export { BUG_ON, WARN_ON } from "./warn.js";
