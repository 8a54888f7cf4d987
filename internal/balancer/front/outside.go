package front

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"neargate/internal/model"
)

// outside is what answers on a port at the public addresses. Those can change
// while the server runs, as an interface gets another one.
type outside[L Listener] struct {
	*place[L]
	port  int
	lacks string // why it does not answer at one of the addresses; guarded by Front.mu
}

// publishLocked opens what of a listener answers outside, if anything does. After
// an error it does not answer at one of the addresses; an address that the
// machine may yet get is no error.
func (f *Front[L]) publishLocked(ctx context.Context, l L) error {
	if !l.Outside() {
		return nil
	}
	o, known := f.outside[l.Port()]
	if !known {
		o = &outside[L]{place: &place[L]{frontend: f.cfg.Frontend(true), sockets: map[netip.Addr]net.Listener{}}, port: l.Port()}
		f.outside[l.Port()] = o
	}
	o.add(l)
	addresses, err := f.cfg.Public()
	if err != nil {
		return err
	}
	f.cfg.Facing(l, addresses)
	return f.followLocked(ctx, o, addresses)
}

// Follow keeps up with the public addresses and with what listens there.
func (f *Front[L]) Follow(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.outside) == 0 || f.down {
		return
	}
	addresses, err := f.cfg.Public()
	if err != nil {
		f.cfg.Log.Warn("look up the public addresses", "error", err)
		return
	}
	for _, o := range f.outside {
		_ = f.followLocked(ctx, o, addresses) // Failure has why
	}
}

// followLocked opens the sockets that are missing and closes those of addresses
// that are none any more.
func (f *Front[L]) followLocked(ctx context.Context, o *outside[L], addresses []netip.Addr) error {
	addresses = slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool {
		return !slices.ContainsFunc(o.listeners, func(l L) bool { return l.Faces(a) })
	})
	for a, s := range o.sockets {
		if !slices.Contains(addresses, a) {
			delete(o.sockets, a)
			_ = s.Close() // nothing was written
			f.cfg.Log.Info("public address closed", "address", a, "port", o.port)
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
		f.cfg.Log.Warn("public address not open", "port", o.port, "reason", lacks)
	}
	o.lacks = lacks
	return taken
}

func (f *Front[L]) openOutside(ctx context.Context, o *outside[L], a netip.Addr) error {
	s, err := f.cfg.Listen.at(ctx, netip.AddrPortFrom(a, uint16(o.port)))
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
	f.cfg.Serve(o.frontend.Server(), s)
	f.cfg.Log.Info("public address open", "address", a, "port", o.port)
	return nil
}
