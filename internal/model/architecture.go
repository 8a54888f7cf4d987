package model

import "strings"

// Architecture is a kind of processor that programs are for, by its name in
// images. "" is the machine's own.
type Architecture string

// The architectures that Fargate has.
const (
	AMD64 Architecture = "amd64"
	ARM64 Architecture = "arm64"
)

// ParseArchitecture returns the architecture that a cpuArchitecture of ECS
// names; ok is false where Fargate has none of that name. "" is "".
func ParseArchitecture(cpuArchitecture string) (a Architecture, ok bool) {
	for _, a := range []Architecture{"", AMD64, ARM64} {
		if a.ECS() == cpuArchitecture {
			return a, true
		}
	}
	return "", false
}

// ECS returns the architecture's name in ECS: X86_64.
func (a Architecture) ECS() string {
	if a == AMD64 {
		return "X86_64"
	}
	return strings.ToUpper(string(a))
}
