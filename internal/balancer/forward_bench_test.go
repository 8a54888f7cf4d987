package balancer

import (
	"bufio"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"neargate/internal/model"
)

// BenchmarkForward passes small requests over kept connections, one client
// connection a goroutine, to four targets that do nothing else.
func BenchmarkForward(b *testing.B) {
	r := start(b, Config{})
	defer r.stop() // before the targets, which wait for its connections
	lb, err := r.CreateLoadBalancer(b.Context(), model.LoadBalancer{Name: "web"})
	if err != nil {
		b.Fatal(err)
	}
	tg, err := r.CreateTargetGroup(b.Context(), model.TargetGroup{Name: "web", Port: 80, HealthCheck: model.HealthCheck{
		Path: "/", Matcher: "200", Interval: 30e9, Timeout: 5e9, HealthyThreshold: 5, UnhealthyThreshold: 2,
	}})
	if err != nil {
		b.Fatal(err)
	}
	port := freePort(b)
	_, err = r.CreateListener(b.Context(), model.Listener{LoadBalancerARN: lb.ARN, Port: port, DefaultActions: forward(tg.ARN)})
	if err != nil {
		b.Fatal(err)
	}
	for range 4 {
		if err := r.RegisterTargets(b.Context(), tg.ARN, []model.Target{rawBackend(b)}); err != nil {
			b.Fatal(err)
		}
	}
	for healthy := 0; healthy < 4; {
		healthy = r.Traffic()[0].Healthy
	}
	b.ReportAllocs()
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		request, answer := []byte("GET / HTTP/1.1\r\nHost: web\r\n\r\n"), make([]byte, 4096)
		for pb.Next() {
			if _, err := conn.Write(request); err != nil {
				b.Error(err)
				return
			}
			if n, err := conn.Read(answer); err != nil || n < 12 || string(answer[9:12]) != "200" {
				b.Errorf("%v %q", err, answer[:n])
				return
			}
		}
	})
}

// rawBackend answers each request with 100 bytes and allocates nothing.
func rawBackend(b *testing.B) model.Target {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("x", 100))
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 {
						if _, err := conn.Write(answer); err != nil {
							return
						}
					}
				}
			})
		}
	})
	b.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return model.Target{IP: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}
