// Command app is the workshop's web server: it greets, and computes on request.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"neargate/examples/app/workshop"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := workshop.Main(ctx, os.LookupEnv, os.Stdout); err != nil { //nolint:forbidigo // a program of its own
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1) //nolint:forbidigo // as above
	}
}
