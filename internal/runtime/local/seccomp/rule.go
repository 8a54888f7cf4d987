package seccomp

import (
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func errno(n uint32) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | n&unix.SECCOMP_RET_DATA}
}

func action(a specs.LinuxSeccompAction, ret *uint) (bpf.Instruction, error) {
	switch a {
	case specs.ActAllow:
		return bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}, nil
	case specs.ActErrno:
		if ret != nil {
			return errno(uint32(*ret)), nil
		}
		return errno(uint32(unix.EPERM)), nil
	default: // the profile uses no other
		return nil, fmt.Errorf("compile seccomp filter: unknown action %s", a)
	}
}

// outcome is the code for one syscall: the first of its rules whose conditions
// all hold decides, else the default.
func outcome(rules []specs.LinuxSyscall, otherwise bpf.Instruction) ([]bpf.Instruction, error) {
	var code []bpf.Instruction
	for _, r := range rules {
		then, err := action(r.Action, r.ErrnoRet)
		if err != nil {
			return nil, err
		}
		if len(r.Args) == 0 {
			return append(code, then), nil
		}
		part := []bpf.Instruction{then}
		for _, arg := range slices.Backward(r.Args) {
			c, err := condition(arg, uint8(len(part)))
			if err != nil {
				return nil, err
			}
			part = append(c, part...)
		}
		code = append(code, part...)
	}
	return append(code, otherwise), nil
}

// condition is code that falls through when the argument is as wanted, and
// skips over what follows, elsewhere of it, when not. An argument is 64 bits
// wide and read in two halves.
func condition(arg specs.LinuxSeccompArg, elsewhere uint8) ([]bpf.Instruction, error) {
	off := uint32(argsOffset + 8*arg.Index)
	loadLow, loadHigh := bpf.LoadAbsolute{Off: off, Size: 4}, bpf.LoadAbsolute{Off: off + 4, Size: 4}
	low, high := uint32(arg.Value), uint32(arg.Value>>32)
	switch arg.Op {
	case specs.OpEqualTo:
		return []bpf.Instruction{
			loadHigh,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: high, SkipFalse: elsewhere + 2},
			loadLow,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: low, SkipFalse: elsewhere},
		}, nil
	case specs.OpMaskedEqual:
		return []bpf.Instruction{
			loadHigh,
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: high},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(arg.ValueTwo >> 32), SkipFalse: elsewhere + 3},
			loadLow,
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: low},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(arg.ValueTwo), SkipFalse: elsewhere},
		}, nil
	case specs.OpLessThan:
		return []bpf.Instruction{
			loadHigh,
			bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: high, SkipTrue: elsewhere + 3},
			bpf.JumpIf{Cond: bpf.JumpLessThan, Val: high, SkipTrue: 2},
			loadLow,
			bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: low, SkipTrue: elsewhere},
		}, nil
	default: // the profile uses no other
		return nil, fmt.Errorf("compile seccomp filter: operator %s is not known", arg.Op)
	}
}
