// Package accesslog writes the logs of application load balancers: of requests, of
// connections and of health checks. Lines in AWS's format are gathered and put as
// compressed objects under AWS's keys, and shown to those who follow. As on AWS, it
// is best effort: lines are lost rather than a request held up.
//
// A Log, a Stream and a Follower are safe for concurrent use.
package accesslog

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// Sink is where logs are put.
type Sink interface {
	// Put keeps an object.
	Put(ctx context.Context, bucket, key string, content []byte) error
}

// Kind is what a log tells of.
type Kind uint8

// The kinds of logs.
const (
	Access Kind = iota
	Connections
	HealthChecks
	Kinds // how many there are
)

// Attribute is what the load balancer's attributes about the log begin with.
func (k Kind) Attribute() string {
	return [...]string{Access: "access_logs.s3.", Connections: "connection_logs.s3.", HealthChecks: "health_check_logs.s3."}[k]
}

// name is how AWS's test file names the log.
func (k Kind) name() string {
	return [...]string{Access: "AccessLog", Connections: "ConnectionLog", HealthChecks: "HealthCheckLog"}[k]
}

// Place is where a log of one load balancer goes.
type Place struct {
	model.Place
	Kind         Kind
	LoadBalancer string     // "app/NAME/ID"
	Address      netip.Addr // the load balancer's
	Bucket       string
	Prefix       string // without slashes at its ends; "": none
}

// Log is the log of one load balancer on its way to one bucket.
type Log struct {
	place Place

	mu    sync.Mutex
	lines []byte // guarded by mu
	lost  int    // lines; guarded by mu
}

// maxBytes is how much a log may hold: some 40,000 lines between two writes, or
// what a sink that fails keeps it from putting away.
const maxBytes = 16 << 20

// New returns an empty log.
func New(place Place) *Log { return &Log{place: place} }

// Goes reports whether the log goes to a place.
func (l *Log) Goes(place Place) bool { return l.place == place }

// Add takes a line in. It does not block; one for which there is no room is lost.
func (l *Log) Add(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) > maxBytes {
		l.lost++
		return
	}
	l.lines = append(l.lines, line...)
}

// LostError is the error of lines that were lost.
type LostError struct{ Lines int }

// Error tells how many.
func (e *LostError) Error() string { return fmt.Sprintf("%d lines were lost", e.Lines) }

// Write puts what there is as one object. What the sink refuses stays for the
// next time. Errors: the sink's, *LostError.
func (l *Log) Write(ctx context.Context, sink Sink, now time.Time) error {
	l.mu.Lock()
	lines, lost := l.lines, l.lost
	l.lines, l.lost = nil, 0
	l.mu.Unlock()
	if len(lines) > 0 {
		if err := sink.Put(ctx, l.place.Bucket, l.place.key(now), compressed(lines)); err != nil {
			l.putBack(lines)
			return fmt.Errorf("write the %s of %s to bucket %s: %w", l.place.Kind.name(), l.place.LoadBalancer, l.place.Bucket, err)
		}
	}
	if lost > 0 {
		return &LostError{lost}
	}
	return nil
}

func (l *Log) putBack(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(lines, l.lines...)
}

func compressed(lines []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(lines) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// root is where a bucket has the logs of an account.
func (p Place) root() string {
	root := "AWSLogs/" + p.Account + "/"
	if p.Prefix != "" {
		root = p.Prefix + "/" + root
	}
	return root
}

// TestKey is the key of the file with which AWS tries whether it may write.
func (p Place) TestKey() string { return p.root() + "ELB" + p.Kind.name() + "TestFile" }

// TestText is what that file says.
func (p Place) TestText(now time.Time) []byte {
	return []byte("Enable " + p.Kind.name() + " for ELB: " + now.UTC().Format(time.RFC3339))
}

// key is the key of a file that ends now:
// PREFIX/AWSLogs/A/elasticloadbalancing/R/YYYY/MM/DD/A_elasticloadbalancing_R_app.NAME.ID_TIME_ADDRESS_RANDOM.log.gz,
// with conn_log. or health_check_log_ before the second A.
func (p Place) key(now time.Time) string {
	now = now.UTC()
	kind := [...]string{Access: "", Connections: "conn_log.", HealthChecks: "health_check_log_"}[p.Kind]
	return fmt.Sprintf("%selasticloadbalancing/%s/%s/%s%s_elasticloadbalancing_%s_%s_%s_%s_%s.log.gz",
		p.root(), p.Region, now.Format("2006/01/02"), kind, p.Account, p.Region, strings.ReplaceAll(p.LoadBalancer, "/", "."),
		now.Format("20060102T1504Z"), p.Address, random.Letters(8))
}
