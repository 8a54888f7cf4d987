package fake

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// listen starts the servers of the task's containers.
func (t *entry) listen() error {
	for i, p := range t.plans {
		if p.port == "" {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(t.state.IP, p.port)) //nolint:noctx // it does not block
		if err != nil {
			for _, s := range t.servers {
				_ = s.Close()
			}
			name := t.spec.Containers[i].Name
			return &runtime.ContainerError{Container: name, Err: model.Errorf(model.Invalid, runtime.CodeStart, "container %s: %v", name, err)}
		}
		s := &http.Server{
			ReadHeaderTimeout: time.Minute,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintln(w, t.spec.ID)
			}),
		}
		t.servers = append(t.servers, s)
		go func() { _ = s.Serve(l) }() // ends with the task
	}
	return nil
}
