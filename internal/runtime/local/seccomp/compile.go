package seccomp

import (
	"cmp"
	_ "embed" // the syscall tables
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The tables are "name number" lines, one file an architecture, taken from the
// SYS_ constants of golang.org/x/sys/unix. They are text, and read only when a
// filter is compiled, so that they cost nothing when the program starts.
var (
	//go:embed syscalls_amd64.txt
	syscallsAMD64 string
	//go:embed syscalls_386.txt
	syscalls386 string
	//go:embed syscalls_arm64.txt
	syscallsARM64 string
	//go:embed syscalls_arm.txt
	syscallsARM string
)

// abi is one way of calling the kernel on this machine.
type abi struct {
	audit    uint32 // AUDIT_ARCH_…
	table    string
	maxEntry uint32 // numbers from here on belong to no ABI that we allow; 0: none
}

// x32Bit marks calls of the x32 ABI, which shares AUDIT_ARCH_X86_64. Kernels
// are rarely built with it: its calls are answered ENOSYS.
const x32Bit = 0x40000000

func abis(goarch string) ([]abi, error) {
	switch goarch {
	case "amd64":
		return []abi{
			{unix.AUDIT_ARCH_X86_64, syscallsAMD64, x32Bit},
			{unix.AUDIT_ARCH_I386, syscalls386, 0},
		}, nil
	case "arm64":
		return []abi{
			{unix.AUDIT_ARCH_AARCH64, syscallsARM64, 0},
			{unix.AUDIT_ARCH_ARM, syscallsARM, 0},
		}, nil
	}
	return nil, fmt.Errorf("compile seccomp filter: no syscall table for %s", goarch)
}

// Offsets within struct seccomp_data.
const (
	numberOffset = 0
	archOffset   = 4
	argsOffset   = 16
)

// compile returns the program: the ABI's own part is chosen first, then the
// syscall's number is found by binary search over ranges of equal outcome.
func compile(profile *specs.LinuxSeccomp) ([]byte, error) {
	abis, err := abis(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	code := []bpf.Instruction{bpf.LoadAbsolute{Off: archOffset, Size: 4}}
	for _, a := range abis {
		part, err := a.compile(profile)
		if err != nil {
			return nil, err
		}
		code = append(code,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: a.audit, SkipTrue: 1},
			bpf.Jump{Skip: uint32(len(part))})
		code = append(code, part...)
	}
	code = append(code, errno(uint32(unix.ENOSYS)))
	raw, err := bpf.Assemble(code)
	if err != nil {
		return nil, fmt.Errorf("assemble seccomp filter: %w", err)
	}
	out := make([]byte, 0, len(raw)*8) // struct sock_filter, in the machine's byte order
	for _, i := range raw {
		out = binary.NativeEndian.AppendUint16(out, i.Op)
		out = append(out, i.Jt, i.Jf)
		out = binary.NativeEndian.AppendUint32(out, i.K)
	}
	return out, nil
}

// span is a run of syscall numbers with one outcome, up to the next span.
type span struct {
	first uint32
	code  []bpf.Instruction
}

func (a abi) compile(profile *specs.LinuxSeccomp) ([]bpf.Instruction, error) {
	rules, last, err := a.rules(profile)
	if err != nil {
		return nil, err
	}
	otherwise, err := action(profile.DefaultAction, profile.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	spans := []span{{0, []bpf.Instruction{otherwise}}}
	add := func(first uint32, code []bpf.Instruction) {
		if !slices.Equal(spans[len(spans)-1].code, code) {
			spans = append(spans, span{first, code})
		}
	}
	for nr := uint32(0); nr <= last; nr++ {
		code := []bpf.Instruction{otherwise}
		if r := rules[nr]; len(r) > 0 {
			if code, err = outcome(r, otherwise); err != nil {
				return nil, err
			}
		}
		if nr == 0 {
			spans[0].code = code
		}
		add(nr, code)
	}
	// Calls newer than any the profile knows: "not there" makes programs fall
	// back to older ones, where "not allowed" would make them fail.
	add(last+1, []bpf.Instruction{errno(uint32(unix.ENOSYS))})
	code := []bpf.Instruction{bpf.LoadAbsolute{Off: numberOffset, Size: 4}}
	if a.maxEntry > 0 {
		code = append(code,
			bpf.JumpIf{Cond: bpf.JumpLessThan, Val: a.maxEntry, SkipTrue: 1},
			errno(uint32(unix.ENOSYS)))
	}
	return append(code, search(spans)...), nil
}

// rules returns the profile's rules by this ABI's syscall number, and the highest
// number that any rule names. Names unknown here belong to other ABIs.
func (a abi) rules(profile *specs.LinuxSeccomp) (map[uint32][]specs.LinuxSyscall, uint32, error) {
	numbers := map[string]uint32{}
	for line := range strings.Lines(a.table) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, 0, fmt.Errorf("read syscall table: %w", err)
		}
		numbers[name] = uint32(n)
	}
	rules := map[uint32][]specs.LinuxSyscall{}
	for _, rule := range profile.Syscalls {
		for _, name := range rule.Names {
			if n, ok := numbers[name]; ok && n < 1<<16 { // ARM's private calls lie far above
				rules[n] = append(rules[n], rule)
			}
		}
	}
	if len(rules) == 0 {
		return nil, 0, fmt.Errorf("compile seccomp filter: the profile names no syscall of this machine")
	}
	return rules, slices.MaxFunc(slices.Collect(maps.Keys(rules)), cmp.Compare), nil
}

// search is a binary search tree over the spans.
func search(spans []span) []bpf.Instruction {
	if len(spans) == 1 {
		return spans[0].code
	}
	mid := len(spans) / 2
	low, high := search(spans[:mid]), search(spans[mid:])
	code := make([]bpf.Instruction, 0, 2+len(low)+len(high))
	code = append(code,
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: spans[mid].first, SkipFalse: 1},
		bpf.Jump{Skip: uint32(len(low))})
	return append(append(code, low...), high...)
}
