package handover

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Notify tells the init system at a socket (NOTIFY_SOCKET) how the server is, one
// line for each variable of sd_notify(3). "" is nobody to be told.
func Notify(ctx context.Context, socket string, lines ...string) error {
	if socket == "" {
		return nil
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixgram", socket) // a leading @ is an abstract one's, here as there
	if err != nil {
		return fmt.Errorf("tell the init system: %w", err)
	}
	defer func() { _ = conn.Close() }() // the write has failed or not
	if _, err := conn.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		return fmt.Errorf("tell the init system: %w", err)
	}
	return nil
}
