package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"neargate/internal/sim/contest"
)

// addNamed adds a scaler that Config.Against names.
func (p *plan) addNamed(name string) error {
	list, err := contest.Named(contestName(name))
	if err != nil {
		return err
	}
	p.contenders = append(p.contenders, contender{name, list[0]})
	return nil
}

// contestName is how a contest names a scaler.
func contestName(name string) string {
	if n, ok := strings.CutPrefix(name, "fixed:"); ok {
		return contest.FixedPrefix + n
	}
	if name == "knative" {
		return "kpa"
	}
	return name
}

// opponent refuses a name that Config.Against must not hold.
func opponent(name string) error {
	if n, ok := strings.CutPrefix(name, "fixed:"); ok {
		if n, err := strconv.Atoi(n); err != nil || n < 1 || n > mostTasks {
			return fmt.Errorf("--against %q: want fixed:N, N from 1 to %d", name, mostTasks)
		}
		return nil
	}
	if !slices.Contains(opponents(), name) {
		return fmt.Errorf("--against %q: want %s", name, Opponents())
	}
	return nil
}

func opponents() []string {
	names := contest.Names()
	for i, n := range names {
		if n == "kpa" {
			names[i] = "knative"
		}
	}
	return names
}

// Opponents tells what Config.Against may hold.
func Opponents() string { return "fixed:N, " + strings.Join(opponents(), ", ") }
