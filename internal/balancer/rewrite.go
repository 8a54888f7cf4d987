package balancer

import (
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// transformFailed is the reason of an answer to a request that no target can get.
const transformFailed = "TransformFailed"

// rewrites compiles the transforms of a rule. They were checked when it was made.
func (b *Balancer) rewrites(rule model.Rule) *routing.Rewrite {
	out, err := routing.Rewrites(rule.Transforms)
	if err != nil {
		b.log.Error("compile transforms", "rule", rule.ARN, "error", err)
	}
	return out
}

// rewritten returns what the target gets for host, path and query; nil where that
// is what the client sent. routing.ErrRewrite.
func rewritten(w *routing.Rewrite, r *exchange.Request) (*exchange.Rewrite, error) {
	url := r.Path
	if r.Query != "" {
		url += "?" + r.Query
	}
	host, err := w.Host(r.Host)
	if err != nil {
		return nil, err
	}
	target, err := w.URL(url)
	if err != nil {
		return nil, err
	}
	out := &exchange.Rewrite{}
	if host != r.Host {
		out.Host = host
	}
	if target != url {
		out.Path, out.Query, _ = strings.Cut(target, "?")
	}
	if out.Host == "" && out.Path == "" {
		return nil, nil
	}
	return out, nil
}
