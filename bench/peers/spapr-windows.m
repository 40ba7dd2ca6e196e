-- bench/models/spapr-windows.ts in Murphi: one rule is one block. No block leaves the mutex held.
const
  DRIVERS: 2;
  ENTRIES: 2;
type
  driver_t: 0 .. DRIVERS - 1;
  entry_t: 0 .. ENTRIES - 1;
  mapping_t: enum { unmapped, by_kernel, by_user };
  driver_pc_t: enum { resting, mapping, unmapping };
  user_pc_t: enum { idle, claiming, attached };
var
  owned: boolean;
  second: boolean;
  users: 0 .. 15;
  first_map: array [entry_t] of mapping_t;
  second_map: array [entry_t] of boolean;
  driver_pc: array [driver_t] of driver_pc_t;
  entry: array [driver_t] of entry_t;
  user_pc: user_pc_t;

startstate begin
  owned := false;
  second := false;
  users := 0;
  user_pc := idle;
  for e: entry_t do first_map[e] := unmapped; second_map[e] := false; end;
  for d: driver_t do driver_pc[d] := resting; entry[d] := 0; end;
end;

ruleset d: driver_t do
  rule "wake" driver_pc[d] = resting ==> begin driver_pc[d] := mapping; end;
  rule "refused" driver_pc[d] = mapping & owned ==> begin driver_pc[d] := resting; end;
  ruleset e: entry_t do
    rule "map" driver_pc[d] = mapping & !owned & first_map[e] = unmapped ==> begin
      first_map[e] := by_kernel; users := users + 1; entry[d] := e; driver_pc[d] := unmapping;
    end;
  end;
  rule "unmap" driver_pc[d] = unmapping ==> begin
    first_map[entry[d]] := unmapped; users := users - 1; entry[d] := 0; driver_pc[d] := resting;
  end;
end;

rule "wake" user_pc = idle ==> begin user_pc := claiming; end;
rule "refused" user_pc = claiming & users > 0 ==> begin user_pc := idle; end;
rule "claim" user_pc = claiming & users = 0 ==> begin owned := true; user_pc := attached; end;
ruleset e: entry_t do
  rule "map" user_pc = attached & first_map[e] = unmapped ==> begin first_map[e] := by_user; end;
  rule "unmap" user_pc = attached & first_map[e] = by_user ==> begin first_map[e] := unmapped; end;
  rule "map in the second" user_pc = attached & second & !second_map[e] ==> begin second_map[e] := true; end;
  rule "unmap in the second" user_pc = attached & second_map[e] ==> begin second_map[e] := false; end;
end;
rule "create" user_pc = attached & !second ==> begin second := true; end;
rule "remove" user_pc = attached & second ==> begin
  second := false;
  for e: entry_t do second_map[e] := false; end;
end;
rule "release" user_pc = attached ==> begin
  second := false;
  for e: entry_t do second_map[e] := false; first_map[e] := unmapped; end;
  owned := false;
  user_pc := idle;
end;

invariant "owned"
  forall e: entry_t do
    (first_map[e] = by_kernel -> !owned) & (first_map[e] = by_user -> owned) & (second_map[e] -> owned & second)
  end;
