-- bench/models/bus-walk.ts in Murphi: one rule is one block. No block leaves the mutex held.
const
  SLOTS: 3;
  FAULTS: 1;
type
  slot_t: 0 .. SLOTS - 1;
  iommu_pc_t: enum { idle, registering, probing, attaching, unregistering, releasing };
  slot_pc_t: enum { absent, plugging, joining, unbound, binding, resting, unplugging };
var
  registered: boolean;
  faults: 0 .. FAULTS;
  present: array [slot_t] of boolean;
  in_group: array [slot_t] of boolean;
  attached: array [slot_t] of boolean;
  bound: array [slot_t] of boolean;
  pc: iommu_pc_t;
  i: slot_t;
  slot_pc: array [slot_t] of slot_pc_t;

startstate begin
  registered := false;
  faults := FAULTS;
  pc := idle;
  i := 0;
  for s: slot_t do
    present[s] := false; in_group[s] := false; attached[s] := false; bound[s] := false; slot_pc[s] := absent;
  end;
end;

procedure go_on(after: iommu_pc_t); begin
  if i = SLOTS - 1 then i := 0; pc := after;
  else i := i + 1; end;
end;

rule "wake" pc = idle ==> begin pc := registering; end;
rule "register" pc = registering ==> begin registered := true; pc := probing; end;
rule "probe" pc = probing ==> begin
  if present[i] & !in_group[i] then in_group[i] := true; end;
  go_on(attaching);
end;
rule "fail" pc = probing & present[i] & !in_group[i] & faults > 0 ==> begin
  faults := faults - 1;
  go_on(attaching);
end;
rule "attach" pc = attaching ==> begin
  if in_group[i] then attached[i] := true; end;
  go_on(unregistering);
end;
rule "unregister" pc = unregistering ==> begin registered := false; pc := releasing; end;
rule "release" pc = releasing ==> begin
  if !bound[i] then attached[i] := false; in_group[i] := false; end;
  go_on(idle);
end;

ruleset s: slot_t do
  rule "wake to plug" slot_pc[s] = absent ==> begin slot_pc[s] := plugging; end;
  rule "plug" slot_pc[s] = plugging ==> begin
    present[s] := true;
    if registered then in_group[s] := true; end;
    slot_pc[s] := joining;
  end;
  rule "join" slot_pc[s] = joining ==> begin
    if in_group[s] then attached[s] := true; end;
    slot_pc[s] := unbound;
  end;
  rule "wake to bind" slot_pc[s] = unbound ==> begin slot_pc[s] := binding; end;
  rule "bind" slot_pc[s] = binding ==> begin bound[s] := attached[s]; slot_pc[s] := resting; end;
  rule "wake to unplug" slot_pc[s] = resting ==> begin slot_pc[s] := unplugging; end;
  rule "unplug" slot_pc[s] = unplugging ==> begin
    bound[s] := false; attached[s] := false; in_group[s] := false; present[s] := false;
    slot_pc[s] := absent;
  end;
end;

invariant "translated"
  forall s: slot_t do (bound[s] -> attached[s]) & (attached[s] -> in_group[s] & present[s]) end;
