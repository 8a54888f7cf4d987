// Package script_test tests the neargate program by scripts: what a user types
// and what comes back. testdata/cli needs nothing; testdata/aws runs a server
// with real containers and talks to it with the AWS CLI and boto3.
package script_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"neargate/internal/cli"
	"neargate/internal/registry/layer"
	"neargate/internal/runtime/local"
	"neargate/internal/runtime/local/seccomp"
)

func TestMain(m *testing.M) {
	// The server that a script starts runs its tasks' supervisors as this same
	// program; they must not go through anything else.
	local.Dispatch()
	layer.Dispatch(seccomp.Install)
	testscript.Main(m, map[string]func(){
		"neargate": func() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/cli", Cmds: commands(), RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

func TestAWSClients(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: containers, a bridge and mounts")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/aws", Setup: setup, Condition: condition, Cmds: commands(), RequireExplicitExec: true, RequireUniqueNames: true,
	})
}
