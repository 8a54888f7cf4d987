package balancer

import (
	"context"

	"neargate/internal/balancer/authenticate"
	"neargate/internal/balancer/exchange"
	"neargate/internal/model"
)

// gate is an action that stands before what a rule leads to.
type gate struct {
	action string // as access logs name it
	tokens *authenticate.JWT
}

// newAuthenticator creates what verifies tokens, and asks issuers for keys. It runs
// only what Run waits for.
func (b *Balancer) newAuthenticator() *authenticate.Authenticator {
	return authenticate.New(authenticate.Config{
		Roots: b.cfg.Roots,
		Spawn: func(f func(context.Context)) { b.spawn(f) },
	})
}

// gateOf returns what stands before the last of a rule's actions; nil for nothing.
func (b *Balancer) gateOf(actions []model.Action) *gate {
	for _, a := range actions {
		if a.JWT != nil {
			return &gate{a.Type, b.users.JWT(*a.JWT)}
		}
	}
	return nil
}

// stopped is the Note of a request that a gate has answered.
type stopped struct{ at *route }

// admission is a request at a gate that waits for keys: exchange.Decider.
type admission struct {
	l   *listener
	to  *route
	v   exchange.Verdict // as far as it stands
	ask func(context.Context) authenticate.Result
}

// Decide implements exchange.Decider.
func (a *admission) Decide(r *exchange.Request) exchange.Verdict {
	v := a.v
	a.to.admit(r, a.l, &v, a.ask(r.Context()))
	return v
}

// admit goes on with a request as its gate says.
func (to *route) admit(r *exchange.Request, l *listener, v *exchange.Verdict, res authenticate.Result) {
	switch {
	case res.Ask != nil:
		v.Later = &admission{l, to, *v, res.Ask}
	case res.Answer != nil:
		r.Note, v.Answer = &stopped{to}, res.Answer
	default:
		to.act(r, l, v)
	}
}

// unnamed drops the keys of issuers whom no action names any more.
func (b *Balancer) unnamed() {
	named := map[string]bool{}
	note := func(actions []model.Action) {
		for _, a := range actions {
			if a.JWT != nil {
				named[a.JWT.JWKSEndpoint] = true
			}
		}
	}
	for _, l := range b.Listeners("") {
		note(l.DefaultActions)
		for _, r := range b.storedRules(l.ARN) {
			note(r.Actions)
		}
	}
	b.users.Forget(func(endpoint string) bool { return named[endpoint] })
}

// name is the gate's action, "" for none.
func (g *gate) name() string {
	if g == nil {
		return ""
	}
	return g.action
}
