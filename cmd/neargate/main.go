// Command neargate runs containers as services that scale themselves, behind
// its own load balancer, and answers the AWS APIs.
package main

import (
	"os"

	"neargate/internal/cli"
	"neargate/internal/runtime/local"
)

func main() {
	// A task's supervisor and a container's first process are this same
	// program; they must not go through anything else.
	local.Dispatch()
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
