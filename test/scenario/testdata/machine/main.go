// Command machine prints which architecture it is for, in its own words and in
// those of a process that it starts, and runs until SIGTERM.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Print(runtime.GOARCH)
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	child, err := exec.Command("/machine", "child").CombinedOutput()
	fmt.Printf("%s and %s, %v\n", runtime.GOARCH, child, err)
	<-stop
}
