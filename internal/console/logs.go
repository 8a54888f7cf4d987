package console

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"neargate/internal/balancer/accesslog"
)

// LogsPath is where the logs of load balancers are followed.
const LogsPath = "/_neargate/logs"

// LogsService is what requests to LogsPath are signed for.
const LogsService = "elasticloadbalancing"

// Lost begins the line that says how many lines the client was too slow for.
const Lost = "#lost "

// logs are those of load balancers, which tell of clients and their URLs.
type logs interface {
	Follow(loadBalancer string, kind accesslog.Kind) (*accesslog.Follower, error)
}

// kinds are the logs by the name that they are asked for by.
func kinds() map[string]accesslog.Kind {
	return map[string]accesslog.Kind{"access": accesslog.Access, "connections": accesslog.Connections, "health-checks": accesslog.HealthChecks}
}

// follow shows the lines of a log as they come, until the client leaves or the server
// ends.
func follow(from Sources) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := from.Signed(r, LogsService); err != nil {
			refuse(w, err)
			return
		}
		name, kind := r.URL.Query().Get("balancer"), r.URL.Query().Get("log")
		k, ok := kinds()[kind]
		if !ok {
			refuse(w, invalid("log %q: want access, connections or health-checks", kind))
			return
		}
		lines, err := from.Logs.Follow(name, k)
		if err != nil {
			refuse(w, err)
			return
		}
		defer lines.Close()
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		stop := from.AtEnd(cancel)
		defer stop()
		_ = show(ctx, w, lines) // the client has gone, or is told by the end of the answer
	}
}

// slowest is how long a client may take over what it was sent.
const slowest = 30 * time.Second

// show writes lines as they come.
func show(ctx context.Context, w http.ResponseWriter, lines *accesslog.Follower) error {
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Time{}); err != nil { // it says nothing more, for as long as it likes
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	for {
		if err := conn.Flush(); err != nil {
			return err
		}
		text, lost, err := lines.Next(ctx)
		if err != nil {
			return err
		}
		if err := conn.SetWriteDeadline(time.Now().Add(slowest)); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		if lost > 0 {
			if _, err := fmt.Fprintf(w, "%s%d\n", Lost, lost); err != nil {
				return err
			}
		}
	}
}
