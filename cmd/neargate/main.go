// Command neargate runs containers as services that scale themselves, behind
// its own load balancer, and answers the AWS APIs.
package main

import (
	"os"

	"neargate/internal/cli"
	"neargate/internal/registry/layer"
	"neargate/internal/runtime/local"
	"neargate/internal/runtime/local/seccomp"
)

func main() {
	// A task's supervisor, a container's first process and a process that
	// unpacks a layer are this same program; they must not go through anything
	// else.
	local.Dispatch()
	layer.Dispatch(seccomp.Install)
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
