package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/tinylib/msgp/msgp"
)

// route prints a file, and then what it is sent by Fluentd's forward protocol at
// a socket, until SIGTERM. It ends after so many messages before it acknowledges
// the last, where that is more than 0.
func route(config, socket string, messages int) {
	text, err := os.ReadFile(config)
	fmt.Printf("config %q %v\n", text, err)
	_ = os.Remove(socket)
	l, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	conns := make(chan net.Conn)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns <- conn
		}
	}()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	type message struct {
		conn  net.Conn
		lines []string
		chunk string
	}
	got := make(chan message)
	for {
		select {
		case conn := <-conns:
			go func() {
				r := msgp.NewReader(conn)
				for {
					v, err := r.ReadIntf()
					if err != nil {
						return
					}
					m := message{conn: conn}
					whole := v.([]any)
					for _, e := range whole[1].([]any) {
						record := e.([]any)[1].(map[string]any)
						m.lines = append(m.lines, fmt.Sprint(whole[0], " ", record["container_name"], " ", record["source"], " ", record["log"]))
					}
					m.chunk, _ = whole[2].(map[string]any)["chunk"].(string)
					got <- m
				}
			}()
		case m := <-got:
			for _, line := range m.lines {
				_, _ = out.WriteString(line + "\n")
			}
			_ = out.Flush()
			if messages--; messages == 0 {
				fmt.Println("router dies")
				os.Exit(1)
			}
			if m.chunk != "" {
				_, _ = m.conn.Write(msgp.AppendString(msgp.AppendString(msgp.AppendMapHeader(nil, 1), "ack"), m.chunk))
			}
		case <-end:
			fmt.Println("router ends")
			return
		}
	}
}
