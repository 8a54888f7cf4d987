package arch_test

import (
	"os/exec"
	"strings"
	"testing"

	"neargate/internal/runtime/local/program"
)

// What supervisors and containers' first processes use must be initialised.
func TestSupervisorsUseNothingThatIsLeftOut(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"/internal/runtime/local").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), module+"/internal/runtime/local/supervisor\n") {
		t.Fatal("the supervisor is not among the packages looked at")
	}
	for path := range strings.Lines(string(out)) {
		for _, prefix := range program.Unused() {
			if strings.HasPrefix(path, prefix) {
				t.Errorf("%s is used and not initialised", strings.TrimSpace(path))
			}
		}
	}
}
