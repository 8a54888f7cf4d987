package names

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
)

// asked is a question for a resolver.
type asked struct {
	msg     []byte // as it came from the client
	network string // udp or tcp
	size    int    // of an answer over UDP, at most
	view    View   // of the client
}

var errOther = errors.New("the resolver answered another question")

// exchange asks one resolver, under an ID that nobody can guess and from a port
// of its own that the kernel draws. What others send there does not arrive, and
// what answers another question is not taken.
func (q asked) exchange(ctx context.Context, to string) ([]byte, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, q.network, to)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	msg := bytes.Clone(q.msg)
	_, _ = rand.Read(msg[:2]) // never fails
	talk := q.packets
	if q.network == "tcp" {
		talk = q.stream
	}
	answer, err := talk(conn, msg)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", to, err)
	}
	return answer, nil
}

func (asked) stream(conn net.Conn, msg []byte) ([]byte, error) {
	if err := writeMessage(conn, msg); err != nil {
		return nil, err
	}
	answer, err := readMessage(conn)
	if err == nil && !answers(answer, msg) {
		err = errOther
	}
	return answer, err
}

func (q asked) packets(conn net.Conn, msg []byte) ([]byte, error) {
	if _, err := conn.Write(msg); err != nil {
		return nil, err
	}
	in := make([]byte, q.size)
	for {
		n, err := conn.Read(in)
		if err != nil {
			return nil, err
		}
		if answers(in[:n], msg) {
			return in[:n], nil
		}
	}
}

// headSize is that of a message's header.
const headSize = 12

// answers reports whether a message answers a question: its ID, its operation,
// and its question are the same. A resolver that takes no such question may
// leave it out.
func answers(answer, question []byte) bool {
	const response, operation, code = 0x80, 0x78, 0x0f
	switch {
	case len(answer) < headSize, !bytes.Equal(answer[:2], question[:2]):
		return false
	case answer[2]&response == 0, answer[2]&operation != question[2]&operation:
		return false
	case len(answer) == headSize:
		return answer[3]&code != 0
	}
	end := questionEnd(question)
	if end == 0 || len(answer) < end || !bytes.Equal(answer[4:6], question[4:6]) {
		return false
	}
	name := end - 4 // the type and the class follow
	return sameFold(answer[headSize:name], question[headSize:name]) && bytes.Equal(answer[name:end], question[name:end])
}

// questionEnd returns where the first question of a message ends; 0: nowhere.
func questionEnd(msg []byte) int {
	const longestLabel = 63
	for at := headSize; at < len(msg); {
		length := int(msg[at])
		at += 1 + length
		switch {
		case length > longestLabel:
			return 0
		case length == 0 && at+4 <= len(msg):
			return at + 4
		case length == 0:
			return 0
		}
	}
	return 0
}
