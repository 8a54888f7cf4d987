// Command lookup prints what there is at names, by Go's own resolver: one line a
// name, of "TYPE NAME" as its arguments have it.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
)

func main() {
	failed := false
	for _, arg := range os.Args[1:] {
		kind, name, _ := strings.Cut(arg, " ")
		found, err := lookup(kind, name)
		if err != nil {
			failed = true
			found = []string{err.Error()}
		}
		slices.Sort(found)
		fmt.Println(arg + ": " + strings.Join(found, " "))
	}
	if failed {
		os.Exit(1)
	}
}

func lookup(kind, name string) (found []string, err error) {
	ctx := context.Background()
	if kind == "A" {
		return net.DefaultResolver.LookupHost(ctx, name)
	}
	_, all, err := net.DefaultResolver.LookupSRV(ctx, "", "", name)
	for _, s := range all {
		at, err := net.DefaultResolver.LookupHost(ctx, s.Target)
		if err != nil {
			return nil, err
		}
		found = append(found, net.JoinHostPort(strings.Join(at, ","), fmt.Sprint(s.Port)))
	}
	return found, err
}
