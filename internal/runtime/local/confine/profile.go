package confine

// Profile is the name of the AppArmor profile of tasks' containers.
const Profile = "neargate-default"

// profileText denies what Docker's docker-default does, and is as lenient
// otherwise: it backs up the masked and read-only paths of a container, its
// capabilities and its seccomp filter, should one of them fail. It includes no
// file, so that it means the same on every machine, and names no ABI: the
// machine's own setting decides which kinds of rules the kernel enforces, as for
// its other profiles.
const profileText = `# Made by neargate at its start, removed with its last instance.
profile ` + Profile + ` flags=(attach_disconnected,mediate_deleted) {
  network,
  unix,
  capability,
  file,
  umount,

  # The server and the supervisor end containers; a task's processes may end,
  # list and debug each other.
  signal (receive) peer=unconfined,
  signal (send, receive) peer=` + Profile + `,
  ptrace (trace, read, tracedby, readby) peer=` + Profile + `,

  deny mount,

  # Of /proc, processes may write what belongs to processes: /proc/PID.
  deny /proc/* wl,
  deny /proc/[^1-9]*/** wklx,
  deny /proc/{kcore,sysrq-trigger} rwklx,

  deny /sys/** wklx,
  deny /sys/{firmware,devices/virtual/powercap,kernel/security}/** rwklx,
}
`
