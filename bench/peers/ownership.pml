/* bench/models/ownership.ts in Promela: one d_step is one block. -DUSERS=n -DDEVICES=n */
bit lock;
bit owned;
byte owner_cnt;
/* By device, one bit each. In neither domain is in the default one. */
unsigned blocking : DEVICES;
unsigned user : DEVICES;
unsigned bound : DEVICES;

#define ALL ((1 << DEVICES) - 1)
/* While the group is at rest: asserted where the mutex is given back. */
#define apart assert((bound & (blocking | user)) == 0 && (!owned || (blocking | user | bound) == ALL))

active [USERS] proctype vfio_user() {
  unsigned i : 4;
idle:
  skip;
  if
  :: d_step { !lock && owner_cnt > 0 -> apart }; goto idle
  :: d_step { !lock && owner_cnt == 0 -> lock = 1 }
  fi;
claiming:
  if
  :: d_step { i < DEVICES - 1 -> user = user & ~(1 << i); blocking = blocking | (1 << i); i++ }; goto claiming
  :: d_step { i == DEVICES - 1 -> user = user & ~(1 << i); blocking = blocking | (1 << i); i = 0; owned = 1; owner_cnt = 1; lock = 0; apart }
  fi;
  d_step { !lock -> lock = 1 };
attaching:
  if
  :: d_step { i < DEVICES - 1 -> blocking = blocking & ~(1 << i); user = user | (1 << i); i++ }; goto attaching
  :: d_step { i == DEVICES - 1 -> blocking = blocking & ~(1 << i); user = user | (1 << i); i = 0; lock = 0; apart }
  fi;
  d_step { !lock -> lock = 1; owned = 0; owner_cnt = 0 };
releasing:
  if
  :: d_step { i < DEVICES - 1 -> blocking = blocking & ~(1 << i); user = user & ~(1 << i); i++ }; goto releasing
  :: d_step { i == DEVICES - 1 -> blocking = blocking & ~(1 << i); user = user & ~(1 << i); i = 0; lock = 0; apart }; goto idle
  fi
}

#define DEVICE (_pid - USERS)

active [DEVICES] proctype native_driver() {
idle:
  skip;
  if
  :: d_step { !lock && owned -> apart }; goto idle
  :: d_step { !lock && !owned -> owner_cnt++; bound = bound | (1 << DEVICE); apart }
  fi;
  d_step { !lock -> bound = bound & ~(1 << DEVICE); owner_cnt--; apart };
  goto idle
}
