-- bench/models/ownership.ts in Murphi: one rule is one block.
const
  USERS: 2;
  DEVICES: 3;
type
  user_t: 0 .. USERS - 1;
  device_t: 0 .. DEVICES - 1;
  domain_t: enum { default_domain, blocking_domain, user_domain };
  user_pc_t: enum { idle, claim, claiming, attach, attaching, release, releasing };
  driver_pc_t: enum { resting, bind, unbind };
var
  lock: boolean;
  owned: boolean;
  owner_cnt: 0 .. 15;
  domain: array [device_t] of domain_t;
  user_pc: array [user_t] of user_pc_t;
  i: array [user_t] of device_t;
  driver_pc: array [device_t] of driver_pc_t;

startstate begin
  lock := false;
  owned := false;
  owner_cnt := 0;
  for d: device_t do domain[d] := default_domain; driver_pc[d] := resting; end;
  for u: user_t do user_pc[u] := idle; i[u] := 0; end;
end;

ruleset u: user_t do
  rule "wake" user_pc[u] = idle ==> begin user_pc[u] := claim; end;
  rule "refused" user_pc[u] = claim & !lock & owner_cnt > 0 ==> begin user_pc[u] := idle; end;
  rule "claim" user_pc[u] = claim & !lock & owner_cnt = 0 ==> begin lock := true; user_pc[u] := claiming; end;
  rule "claiming" user_pc[u] = claiming ==> begin
    domain[i[u]] := blocking_domain;
    if i[u] = DEVICES - 1 then
      i[u] := 0; owned := true; owner_cnt := 1; lock := false; user_pc[u] := attach;
    else i[u] := i[u] + 1; end;
  end;
  rule "attach" user_pc[u] = attach & !lock ==> begin lock := true; user_pc[u] := attaching; end;
  rule "attaching" user_pc[u] = attaching ==> begin
    domain[i[u]] := user_domain;
    if i[u] = DEVICES - 1 then i[u] := 0; lock := false; user_pc[u] := release;
    else i[u] := i[u] + 1; end;
  end;
  rule "release" user_pc[u] = release & !lock ==> begin
    lock := true; owned := false; owner_cnt := 0; user_pc[u] := releasing;
  end;
  rule "releasing" user_pc[u] = releasing ==> begin
    domain[i[u]] := default_domain;
    if i[u] = DEVICES - 1 then i[u] := 0; lock := false; user_pc[u] := idle;
    else i[u] := i[u] + 1; end;
  end;
end;

ruleset d: device_t do
  rule "wake" driver_pc[d] = resting ==> begin driver_pc[d] := bind; end;
  rule "refused" driver_pc[d] = bind & !lock & owned ==> begin driver_pc[d] := resting; end;
  rule "bind" driver_pc[d] = bind & !lock & !owned ==> begin owner_cnt := owner_cnt + 1; driver_pc[d] := unbind; end;
  rule "unbind" driver_pc[d] = unbind & !lock ==> begin owner_cnt := owner_cnt - 1; driver_pc[d] := resting; end;
end;

invariant "apart"
  lock | forall d: device_t do
    (driver_pc[d] = unbind -> domain[d] = default_domain) & (driver_pc[d] = unbind | !owned | domain[d] != default_domain)
  end;
