// Package console is the pages beside the AWS APIs, below /_neargate/: what a
// person or a program can ask the server about itself. They only read, and
// answer JSON without a signature, but where another thing is said.
//
//	GET /_neargate/health
//	    200 when the server is ready.
//	GET /_neargate/decisions?service=NAME[&cluster=default][&n=10]
//	    The last n decisions on a service's desired count, oldest first, as
//	    Decisions. What is wrong is a Fault: status 400 for the request, 404
//	    for a cluster, service or scalable target that is not there.
//	GET /_neargate/usage[?cluster=NAME]
//	    What tasks and their containers have consumed so far, as Usage.
//	GET /_neargate/names
//	    The names of load balancers and where they are asked for, as Names.
//	GET /_neargate/logs?balancer=NAME&log=access|connections|health-checks
//	    The lines of a load balancer's log from now on, until the client leaves. A
//	    line "#lost N" says that it was too slow for N lines. It wants a signature.
//	GET /_neargate/ca
//	    The root that the server's own certificates are signed by, in PEM.
//
// A Handler keeps nothing, and is as safe for concurrent use as what it reads.
package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"neargate/internal/autoscaler"
	"neargate/internal/decide/policy"
	"neargate/internal/model"
)

// DecisionsPath is where decisions are asked for.
const DecisionsPath = "/_neargate/decisions"

// AuthorityPath is where the root of the server's own certificates is asked for.
const AuthorityPath = "/_neargate/ca"

// MaxDecisions is the most that one answer has.
const MaxDecisions = 1000

const defaultDecisions = 10

// Decisions is the answer of DecisionsPath.
type Decisions struct {
	Cluster   string     `json:"cluster"`
	Service   string     `json:"service"`
	Decisions []Decision `json:"decisions"`
	Spared    []Spared   `json:"spared,omitempty"`
}

// Spared is how many requests of a service were answered since the server started
// that an ALB would have failed for a reason.
type Spared struct {
	Reason    string `json:"reason"`
	WouldHave int    `json:"would_have"` // been the status
	Count     uint64 `json:"count"`
}

// Decision is what was decided of a desired count from one second to another.
type Decision struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"` // so far, for the last one
	From   int       `json:"from"`
	To     int       `json:"to"` // equal to From: held
	Policy string    `json:"policy,omitempty"`
	Reason string    `json:"reason"`
}

// Fault is the answer to what cannot be answered, with AWS's code for it.
type Fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// services is what knows clusters and services, by name or ARN.
type services interface {
	Cluster(name string) (model.Cluster, bool)
	Service(cluster, name string) (model.Service, bool)
}

// explainer is what remembers decisions.
type explainer interface {
	Explain(resourceID string, n int) ([]autoscaler.Explained, error)
}

// lenient is what answers more than an ALB.
type lenient interface {
	Spared(targetGroupARN string) []model.Spared
}

// Sources are what the pages tell of.
type Sources struct {
	Services    services
	Decisions   explainer
	Balancer    lenient
	Consumption consumption
	Names       directory
	Authority   authority
	Logs        logs
	// Signed reports whether a request without a body is signed for a service.
	Signed func(r *http.Request, service string) error
	// AtEnd calls f when the server ends, unless it is stopped.
	AtEnd func(f func()) (stop func() bool)
}

// authority is who signs the server's own certificates.
type authority interface {
	// Root returns the certificate in PEM that clients have to trust.
	Root() ([]byte, error)
}

// Handler answers the pages, for requests to an address, localhost or one of
// names.
func Handler(names []string, from Sources) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_neargate/health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("GET "+DecisionsPath, func(w http.ResponseWriter, r *http.Request) {
		d, err := decisions(from, r)
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusOK, d)
	})
	mux.HandleFunc("GET "+UsagePath, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, usage(from.Consumption, r.URL.Query().Get("cluster")))
	})
	mux.HandleFunc("GET "+NamesPath, func(w http.ResponseWriter, _ *http.Request) {
		n, err := from.Names.Names()
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusOK, n)
	})
	mux.HandleFunc("GET "+AuthorityPath, func(w http.ResponseWriter, _ *http.Request) {
		root, err := from.Authority.Root()
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(root) // the client has gone
	})
	mux.HandleFunc("GET "+LogsPath, follow(from))
	return named(names, mux)
}

func decisions(from Sources, r *http.Request) (Decisions, error) {
	q := r.URL.Query()
	cluster, service := q.Get("cluster"), q.Get("service")
	if cluster == "" {
		cluster = "default"
	}
	n := defaultDecisions
	if text := q.Get("n"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > MaxDecisions {
			return Decisions{}, invalid("n %q: want a number from 1 to %d", text, MaxDecisions)
		}
	}
	if service == "" {
		return Decisions{}, invalid("service: name one")
	}
	c, ok := from.Services.Cluster(cluster)
	if !ok || c.Status == model.Inactive {
		return Decisions{}, model.Errorf(model.NotFound, "ClusterNotFoundException", "Cluster not found.")
	}
	svc, ok := from.Services.Service(c.Name, service)
	if !ok || svc.Status == model.Inactive {
		return Decisions{}, model.Errorf(model.NotFound, "ServiceNotFoundException", "Service not found.")
	}
	out := Decisions{Cluster: svc.Cluster, Service: svc.Name, Spared: sparedOf(from.Balancer, svc)}
	last, err := from.Decisions.Explain(policy.Resource(svc.Cluster, svc.Name), n)
	if err != nil && len(out.Spared) == 0 { // else there is something to tell of a service that is not scaled
		return Decisions{}, err
	}
	out.Decisions = make([]Decision, len(last))
	for i, x := range last {
		out.Decisions[i] = Decision(x)
	}
	return out, nil
}

// sparedOf adds up what the target groups of a service were spared.
func sparedOf(b lenient, svc model.Service) []Spared {
	var out []Spared
	for _, arn := range svc.TargetGroups() {
		for _, x := range b.Spared(arn) {
			i := slices.IndexFunc(out, func(s Spared) bool { return s.Reason == x.Reason })
			if i < 0 {
				out, i = append(out, Spared{Reason: x.Reason, WouldHave: x.Status}), len(out)
			}
			out[i].Count += x.Count
		}
	}
	return out
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ValidationException", format, args...)
}

func refuse(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*model.Error](err)
	switch {
	case ok && e.Kind == model.NotFound:
		answer(w, http.StatusNotFound, Fault{e.Code, e.Msg})
	case ok && e.Kind == model.Denied:
		answer(w, http.StatusForbidden, Fault{e.Code, e.Msg})
	case ok && e.Kind == model.Conflict:
		answer(w, http.StatusConflict, Fault{e.Code, e.Msg})
	case ok && e.Kind == model.Invalid:
		answer(w, http.StatusBadRequest, Fault{e.Code, e.Msg})
	default:
		answer(w, http.StatusInternalServerError, Fault{"InternalError", "The server could not answer."})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s\n", b)
}
