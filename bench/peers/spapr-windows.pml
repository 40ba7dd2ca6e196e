/* bench/models/spapr-windows.ts in Promela: one d_step is one block. -DDRIVERS=n -DENTRIES=n, at most 15 entries. */
bit owned;
bit second;
unsigned users : 4;
/* By entry, one bit each: of the first window by whom it is mapped, of the second whether. */
unsigned by_kernel : ENTRIES;
unsigned by_user : ENTRIES;
unsigned by_user2 : ENTRIES;

/* No block leaves the mutex held: that it is free need not be stored. */
#define apart assert((by_kernel == 0 || !owned) && (owned || (by_user | by_user2) == 0) && (second || by_user2 == 0))

/* A choice has to be one of options: to choose first and then find it impossible would leave states that are no block's. */
#define take(k) :: d_step { !owned && !((by_kernel | by_user) & (1 << k)) -> by_kernel = by_kernel | (1 << k); entry = k; users++; apart }
#define use(k) \
  :: d_step { !((by_kernel | by_user) & (1 << k)) -> by_user = by_user | (1 << k); apart } \
  :: d_step { by_user & (1 << k) -> by_user = by_user & ~(1 << k); apart } \
  :: d_step { second && !(by_user2 & (1 << k)) -> by_user2 = by_user2 | (1 << k); apart } \
  :: d_step { by_user2 & (1 << k) -> by_user2 = by_user2 & ~(1 << k); apart }

active [DRIVERS] proctype native_driver() {
  unsigned entry : 4;
idle:
  skip;
  if
  :: owned -> goto idle
  take(0)
#if ENTRIES > 1
  take(1)
#endif
#if ENTRIES > 2
  take(2)
#endif
#if ENTRIES > 3
  take(3)
#endif
#if ENTRIES > 4
  take(4)
#endif
#if ENTRIES > 5
  take(5)
#endif
#if ENTRIES > 6
  take(6)
#endif
#if ENTRIES > 7
  take(7)
#endif
#if ENTRIES > 8
  take(8)
#endif
#if ENTRIES > 9
  take(9)
#endif
#if ENTRIES > 10
  take(10)
#endif
#if ENTRIES > 11
  take(11)
#endif
#if ENTRIES > 12
  take(12)
#endif
#if ENTRIES > 13
  take(13)
#endif
#if ENTRIES > 14
  take(14)
#endif
  fi;
  d_step { by_kernel = by_kernel & ~(1 << entry); entry = 0; users--; apart };
  goto idle
}

active proctype vfio_spapr_tce() {
idle:
  skip;
  if
  :: users > 0 -> goto idle
  :: d_step { users == 0 -> owned = 1; apart }
  fi;
  do
  use(0)
#if ENTRIES > 1
  use(1)
#endif
#if ENTRIES > 2
  use(2)
#endif
#if ENTRIES > 3
  use(3)
#endif
#if ENTRIES > 4
  use(4)
#endif
#if ENTRIES > 5
  use(5)
#endif
#if ENTRIES > 6
  use(6)
#endif
#if ENTRIES > 7
  use(7)
#endif
#if ENTRIES > 8
  use(8)
#endif
#if ENTRIES > 9
  use(9)
#endif
#if ENTRIES > 10
  use(10)
#endif
#if ENTRIES > 11
  use(11)
#endif
#if ENTRIES > 12
  use(12)
#endif
#if ENTRIES > 13
  use(13)
#endif
#if ENTRIES > 14
  use(14)
#endif
  :: d_step { !second -> second = 1; apart }
  :: d_step { second -> second = 0; by_user2 = 0; apart }
  :: d_step { true -> second = 0; by_user2 = 0; by_user = 0; owned = 0; apart }; goto idle
  od
}
