package seccomp

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// run gives what the program answers to one call.
func run(t *testing.T, vm *bpf.VM, arch, nr uint32, args ...uint64) uint32 {
	t.Helper()
	// The virtual machine reads big-endian, the kernel in its own order.
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data, nr)
	binary.BigEndian.PutUint32(data[4:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[16+8*i:], uint32(a))
		binary.BigEndian.PutUint32(data[20+8*i:], uint32(a>>32))
	}
	got, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(got)
}

func machine(t *testing.T) *bpf.VM {
	t.Helper()
	program, err := Default([]string{"CAP_SYS_CHROOT", "CAP_NET_RAW"})
	if err != nil {
		t.Fatal(err)
	}
	var code []bpf.Instruction
	for ; len(program) > 0; program = program[8:] {
		code = append(code, bpf.RawInstruction{
			Op: binary.NativeEndian.Uint16(program), Jt: program[2], Jf: program[3],
			K: binary.NativeEndian.Uint32(program[4:]),
		}.Disassemble())
	}
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func TestDefaultProfile(t *testing.T) {
	vm := machine(t)
	const (
		allow  = unix.SECCOMP_RET_ALLOW
		eperm  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		enosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	for _, row := range []struct {
		name string
		arch uint32
		nr   uint32
		args []uint64
		want uint32
	}{
		{"plain call", unix.AUDIT_ARCH_X86_64, 0 /* read */, nil, allow},
		{"the first newest ones", unix.AUDIT_ARCH_X86_64, 262 /* newfstatat */, nil, allow},
		{"mount", unix.AUDIT_ARCH_X86_64, 165, nil, eperm},
		{"unshare", unix.AUDIT_ARCH_X86_64, 272, nil, eperm},
		{"keyctl", unix.AUDIT_ARCH_X86_64, 250, nil, eperm},
		{"bpf", unix.AUDIT_ARCH_X86_64, 321, nil, eperm},
		{"chroot, by capability", unix.AUDIT_ARCH_X86_64, 161, nil, allow},
		{"a thread", unix.AUDIT_ARCH_X86_64, 56 /* clone */, []uint64{unix.CLONE_VM | unix.CLONE_THREAD}, allow},
		{"a user namespace", unix.AUDIT_ARCH_X86_64, 56, []uint64{unix.CLONE_NEWUSER}, eperm},
		{"clone3 has hidden flags", unix.AUDIT_ARCH_X86_64, 435, nil, enosys},
		{"TCP socket", unix.AUDIT_ARCH_X86_64, 41, []uint64{unix.AF_INET}, allow},
		{"netlink socket", unix.AUDIT_ARCH_X86_64, 41, []uint64{unix.AF_NETLINK}, allow},
		{"socket to the hypervisor", unix.AUDIT_ARCH_X86_64, 41, []uint64{unix.AF_VSOCK}, eperm},
		{"high half set", unix.AUDIT_ARCH_X86_64, 41, []uint64{1<<32 | unix.AF_INET}, eperm},
		{"personality query", unix.AUDIT_ARCH_X86_64, 135, []uint64{0xffffffff}, allow},
		{"other personality", unix.AUDIT_ARCH_X86_64, 135, []uint64{5}, eperm},
		{"unknown new call", unix.AUDIT_ARCH_X86_64, 4000, nil, enosys},
		{"x32", unix.AUDIT_ARCH_X86_64, x32Bit | 1, nil, enosys},
		{"32-bit read", unix.AUDIT_ARCH_I386, 3, nil, allow},
		{"32-bit mount", unix.AUDIT_ARCH_I386, 21, nil, eperm},
		{"another machine's", unix.AUDIT_ARCH_AARCH64, 0, nil, enosys},
	} {
		if got := run(t, vm, row.arch, row.nr, row.args...); got != row.want {
			t.Errorf("%s: got %#x, want %#x", row.name, got, row.want)
		}
	}
}
