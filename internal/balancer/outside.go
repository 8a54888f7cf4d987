package balancer

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"neargate/internal/model"
)

// outside is what answers on a port at the public addresses. Those can change
// while the server runs, as an interface gets another one.
type outside struct {
	*frontend
	port  int
	lacks string // why it does not answer at one of the addresses; guarded by front.mu
}

// publishLocked opens what of a listener answers outside, if anything does. After
// an error it does not answer at one of the addresses; an address that the
// machine may yet get is no error.
func (f *front) publishLocked(ctx context.Context, l *listener) error {
	if !l.lb.conf.Load().internetFacing {
		return nil
	}
	o, known := f.outside[l.port]
	if known {
		o.add(l)
	} else {
		o = &outside{frontend: newFrontend(l, frontendKind{public: true, codec: f.codec, limit: f.limit, log: f.log}), port: l.port}
		f.outside[l.port] = o
	}
	addresses, err := f.public()
	if err != nil {
		return err
	}
	if len(addresses) > 0 && l.lb.ingress.Load().Closed(l.port) {
		f.log.Warn("security groups let no client from outside in", "load_balancer", l.lb.arn, "port", l.port, "security_groups", l.lb.conf.Load().groups)
	}
	return f.followLocked(ctx, o, addresses)
}

// follow keeps up with the public addresses and with what listens there.
func (f *front) follow(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.outside) == 0 || f.down {
		return
	}
	addresses, err := f.public()
	if err != nil {
		f.log.Warn("look up the public addresses", "error", err)
		return
	}
	for _, o := range f.outside {
		_ = f.followLocked(ctx, o, addresses) // failure has why
	}
}

// followLocked opens the sockets that are missing and closes those of addresses
// that are none any more.
func (f *front) followLocked(ctx context.Context, o *outside, addresses []netip.Addr) error {
	all := o.listeners.Load().all
	addresses = slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool {
		return !slices.ContainsFunc(all, func(l *listener) bool { return l.lb.conf.Load().faces(a) })
	})
	for a, s := range o.sockets {
		if !slices.Contains(addresses, a) {
			delete(o.sockets, a)
			_ = s.Close() // nothing was written
			f.log.Info("public address closed", "address", a, "port", o.port)
		}
	}
	var taken error
	lacks := ""
	for _, a := range addresses {
		if o.sockets[a] != nil {
			continue
		}
		switch err := f.openOutside(ctx, o, a); {
		case err == nil:
		case !absent(err):
			taken, lacks = err, reason(err)
		case lacks == "":
			lacks = reason(err)
		}
	}
	if lacks != o.lacks && lacks != "" {
		f.log.Warn("public address not open", "port", o.port, "reason", lacks)
	}
	o.lacks = lacks
	return taken
}

func (f *front) openOutside(ctx context.Context, o *outside, a netip.Addr) error {
	s, err := listen(ctx, netip.AddrPortFrom(a, uint16(o.port)))
	switch {
	case err == nil:
	case absent(err):
		e := model.Errorf(model.Conflict, "InvalidConfigurationRequest", "Port %d cannot be used: %s is no address of this machine now", o.port, a)
		e.Err = fmt.Errorf("listen on port %d: %w", o.port, err)
		return e
	default:
		return errPort(o.port, err)
	}
	o.sockets[a] = s
	f.serve(o.frontend, guarded{s, o.frontend})
	f.log.Info("public address open", "address", a, "port", o.port)
	return nil
}
