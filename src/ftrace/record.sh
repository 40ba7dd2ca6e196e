#!/bin/sh
# Written by `iommu-mc record` for Linux @RELEASE@: records what its IOMMU core does, and what the machine looks like.
#
#   sh record.sh                   records until Ctrl-C
#   sh record.sh COMMAND [WORD...] records while the command runs
#
# Needs root, and a kernel with CONFIG_KPROBE_EVENTS. Leaves iommu-RELEASE-TIME.tar.gz in the working directory.
# OUT names another file; BUFFER_KB is the size of the trace of each CPU; TRACEFS and SYSFS are where these are mounted.
# What the command writes to the file $MARKER stands in the trace as a mark.
set -u

RELEASE='@RELEASE@'
GROUP='@GROUP@'
TRACEFS=${TRACEFS:-/sys/kernel/tracing}
SYSFS=${SYSFS:-/sys}
BUFFER_KB=${BUFFER_KB:-32768}
# A trace of our own, so that whatever else is traced on the machine is left alone.
OURS=$TRACEFS/instances/$GROUP
OUT=${OUT:-$PWD/iommu-$RELEASE-$(date +%Y%m%d-%H%M%S).tar.gz}

# The probes, one a line: where members are is known of this kernel only.
probes() {
  cat <<'PROBES'
@PROBES@
PROBES
}

fail() {
  echo "record.sh: $*" >&2
  exit 2
}

# Writes a value to a file of our trace; a kernel that has no such file, or takes no such value, is none the worse for it.
try() {
  [ -e "$OURS/$2" ] && echo "$1" 2>/dev/null >"$OURS/$2"
}

# Last part of what a link points to; nothing if there is no link.
linked() {
  link=$(readlink "$1") && echo "${link##*/}"
}

content() {
  [ ! -e "$1" ] || cat "$1" 2>/dev/null
}

check_kernel() {
  running=$(uname -r)
  [ "$running" = "$RELEASE" ] || [ -n "${ANY_KERNEL:-}" ] ||
    fail "the probes are those of Linux $RELEASE, and this is $running: run iommu-mc record for it (ANY_KERNEL=1 goes on, and may record nonsense)"
  [ -e "$TRACEFS/trace" ] || mount -t tracefs tracefs "$TRACEFS" || fail "cannot mount tracefs at $TRACEFS: are you root?"
  [ -w "$TRACEFS/kprobe_events" ] || fail "cannot write $TRACEFS/kprobe_events: are you root, and has the kernel CONFIG_KPROBE_EVENTS?"
}

# Adds the probes that this kernel can have, and writes down which it cannot, and why.
install_probes() {
  probes >"$work/probes"
  # Of the tens of thousands of functions of the kernel, those of interest and their clones.
  content "$TRACEFS/available_filter_functions" |
    awk 'NR == FNR { wanted[$2]; next } { name = $1; sub(/\..*/, "", name) } name in wanted { print $1 }' "$work/probes" - >"$work/functions"
  while IFS= read -r probe; do
    rest=${probe#* }
    function=${rest%% *}
    if [ ! -s "$work/functions" ] || grep -qx "$function" "$work/functions"; then
      add_probe "$probe" "$function"
    else
      # A clone that the compiler made may have its arguments anywhere.
      clone=$(grep -E "^$function\.(part|isra|constprop)\." "$work/functions" | head -n 1)
      if [ -n "$clone" ]; then
        add_probe "${probe%% *} $clone" "$function"
      else
        echo "$function: not in this kernel, inlined, or in a module that is not loaded" >>"$work/skipped"
      fi
    fi
  done <"$work/probes"
}

add_probe() {
  if ! echo "$1" 2>/dev/null >>"$TRACEFS/kprobe_events"; then
    reason=$(content "$TRACEFS/error_log" | sed -n 's/.*error: //p' | tail -n 1)
    echo "$2: refused: ${reason:-no reason given}" >>"$work/skipped"
  fi
}

# Takes away our probes, also those of a recording that was killed, and leaves those of others.
remove_probes() {
  try 0 events/enable
  sed -n "s/^[pr][0-9]*:\($GROUP\/[^ ]*\) .*/-:\1/p" "$TRACEFS/kprobe_events" >"$work/removals"
  while IFS= read -r removal; do
    echo "$removal" 2>/dev/null >>"$TRACEFS/kprobe_events"
  done <"$work/removals"
}

# shellcheck disable=SC2317 # The trap below runs it.
clean_up() {
  remove_probes
  rmdir "$OURS" 2>/dev/null
  rm -rf "$work"
}

# Every PCI device, and of other buses those in a group.
topology() {
  separator='['
  for device in "$SYSFS"/bus/*/devices/*; do
    [ -e "$device" ] || continue
    bus=${device%/devices/*}
    bus=${bus##*/}
    group=$(linked "$device/iommu_group")
    [ "$bus" = pci ] || [ -n "$group" ] || continue
    bridge=false
    [ ! -d "$device/pci_bus" ] || bridge=true
    printf '%s\n{"bus":"%s","device":"%s","path":"%s","vendor":"%s","device_id":"%s","class":"%s","iommu_group":"%s","iommu":"%s","driver":"%s","is_bridge":%s}' \
      "$separator" "$bus" "${device##*/}" "$(cd -P "$device" && pwd)" "$(content "$device/vendor")" "$(content "$device/device")" \
      "$(content "$device/class")" "$group" "$(linked "$device/iommu")" "$(linked "$device/driver")" "$bridge"
    separator=','
  done
  [ "$separator" = ',' ] || printf '['
  printf '\n]\n'
}

groups() {
  for group in "$SYSFS"/kernel/iommu_groups/*; do
    [ -e "$group" ] || continue
    echo "group ${group##*/} type=$(content "$group/type") name=$(content "$group/name")"
    for device in "$group"/devices/*; do
      [ -e "$device" ] || continue
      echo "  device ${device##*/} bus=$(linked "$device/subsystem") driver=$(linked "$device/driver")"
    done
    content "$group/reserved_regions" | sed 's/^/  resv /'
  done
}

record() {
  remove_probes
  install_probes
  # The probes of a function's call and return are refused alike.
  sort -u "$work/skipped" >"$dir/skipped.txt"
  cp "$TRACEFS/kprobe_events" "$dir/kprobe_events.txt"
  topology >"$dir/topology.json"
  groups >"$dir/groups-00-start.txt"
  [ -d "$OURS" ] || mkdir "$OURS" || fail "cannot make $OURS"
  try "$BUFFER_KB" buffer_size_kb
  try global trace_clock
  try 1 events/iommu/enable
  try 1 "events/$GROUP/enable"
  try 'STEP recording begins' trace_marker
}

pack() {
  try 'STEP recording ends' trace_marker
  try 0 tracing_on
  { echo "# kernel $RELEASE" && cat "$OURS/trace"; } >"$dir/trace.txt"
  content "$TRACEFS/kprobe_profile" >"$dir/kprobe_profile.txt"
  topology >"$dir/topology-end.json"
  groups >"$dir/groups-99-end.txt"
  uname -a >"$dir/uname.txt"
  for cpu in "$OURS"/per_cpu/cpu*; do
    [ ! -e "$cpu/stats" ] || sed "s/^/${cpu##*/} /" "$cpu/stats"
  done >"$dir/trace-cpu-stats.txt"
  tar -C "$work" -czf "$OUT" "$name" || fail "cannot write $OUT"
}

report() {
  skipped=$(content "$dir/skipped.txt" | wc -l)
  installed=$(grep -c ":$GROUP/" "$dir/kprobe_events.txt")
  echo "record.sh: $((installed)) probes; $((skipped)) functions cannot be probed in this kernel (skipped.txt)" >&2
  if grep -Eq 'overrun: [1-9]|dropped events: [1-9]' "$dir/trace-cpu-stats.txt"; then
    echo 'record.sh: events were lost: record again with a larger BUFFER_KB' >&2
  fi
  if awk '$3 > 0 { missed = 1 } END { exit !missed }' "$dir/kprobe_profile.txt"; then
    echo 'record.sh: probes were missed (kprobe_profile.txt): what they would have said is not in the trace' >&2
  fi
  echo "$OUT"
}

check_kernel
work=$(mktemp -d) || fail 'cannot make a temporary folder'
name=iommu-$RELEASE
dir=$work/$name
mkdir "$dir"
: >"$work/skipped"
trap clean_up EXIT
stopped=
trap 'stopped=1' INT TERM
record
status=0
if [ $# -gt 0 ]; then
  MARKER=$OURS/trace_marker "$@" || status=$?
else
  echo 'record.sh: recording, Ctrl-C ends it' >&2
  while [ -z "$stopped" ]; do sleep 1; done
fi
pack
report
exit "$status"
