package local

import (
	"os/exec"
	"strings"
	"testing"
)

// What supervisors and containers' first processes import must be initialised.
func TestSupervisorsUseNothingThatIsLeftOut(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "neargate/internal/runtime/local").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "neargate/internal/runtime/local/supervisor") {
		t.Fatal("the supervisor is not among the packages looked at")
	}
	for path := range strings.Lines(string(out)) {
		for _, prefix := range unused() {
			if strings.HasPrefix(path, prefix) {
				t.Errorf("%s is used and not initialised", strings.TrimSpace(path))
			}
		}
	}
}
