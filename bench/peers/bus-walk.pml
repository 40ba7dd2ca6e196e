/* bench/models/bus-walk.ts in Promela: one d_step is one block. -DSLOTS=n -DFAULTS=n */
bit registered;
unsigned faults : 4 = FAULTS;
/* By slot, one bit each. */
unsigned present : SLOTS;
unsigned in_group : SLOTS;
unsigned attached : SLOTS;
unsigned bound : SLOTS;

/* No block leaves the mutex held: that it is free need not be stored. */
#define translated assert((bound & ~attached) == 0 && (attached & ~(in_group & present)) == 0)
#define SLOT (1 << (_pid - 1))

active proctype iommu() {
  unsigned i : 4;
idle:
  skip;
  d_step { registered = 1 };
probing:
  if
  :: d_step { i < SLOTS - 1 && (present & ~in_group & (1 << i)) -> in_group = in_group | (1 << i); i++ }; goto probing
  :: d_step { i < SLOTS - 1 && (present & ~in_group & (1 << i)) && faults > 0 -> faults--; i++ }; goto probing
  :: d_step { i < SLOTS - 1 && !(present & ~in_group & (1 << i)) -> i++ }; goto probing
  :: d_step { i == SLOTS - 1 && (present & ~in_group & (1 << i)) -> in_group = in_group | (1 << i); i = 0 }
  :: d_step { i == SLOTS - 1 && (present & ~in_group & (1 << i)) && faults > 0 -> faults--; i = 0 }
  :: d_step { i == SLOTS - 1 && !(present & ~in_group & (1 << i)) -> i = 0 }
  fi;
attaching:
  if
  :: d_step { i < SLOTS - 1 -> attached = attached | (in_group & (1 << i)); i++; translated }; goto attaching
  :: d_step { i == SLOTS - 1 -> attached = attached | (in_group & (1 << i)); i = 0; translated }
  fi;
  d_step { registered = 0 };
releasing:
  if
  :: d_step { i < SLOTS - 1 -> attached = attached & ~(~bound & (1 << i)); in_group = in_group & ~(~bound & (1 << i)); i++; translated }; goto releasing
  :: d_step { i == SLOTS - 1 -> attached = attached & ~(~bound & (1 << i)); in_group = in_group & ~(~bound & (1 << i)); i = 0; translated }; goto idle
  fi
}

active [SLOTS] proctype hotplug() {
absent:
  skip;
  d_step {
    present = present | SLOT;
    if :: registered -> in_group = in_group | SLOT :: else fi;
    translated
  };
  d_step { attached = attached | (in_group & SLOT); translated };
  skip;
  d_step { bound = bound | (attached & SLOT); translated };
  skip;
  d_step {
    bound = bound & ~SLOT; attached = attached & ~SLOT; in_group = in_group & ~SLOT; present = present & ~SLOT;
    translated
  };
  goto absent
}
