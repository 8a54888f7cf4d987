package balancer

import (
	"hash/maphash"
	"net"
	"strconv"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
)

// tables is the durable state. Keys are ARNs; a target's key is its group's
// ARN, a space and its address.
type tables struct {
	lbs       *store.Table[model.LoadBalancer]
	listeners *store.Table[model.Listener]
	rules     *store.Table[model.Rule] // without default rules: those are part of their listener
	groups    *store.Table[model.TargetGroup]
	targets   *store.Table[targetRecord]
	tickets   *store.Table[sealedTickets]
	keys      *store.Table[cookieKey]
}

// targetRecord is a registered target as it survives a restart. Its health
// does not: it is probed anew.
type targetRecord struct {
	TargetGroupARN string
	Target         model.Target
	DrainUntil     time.Time // zero when not draining
}

func openTables(db *store.DB) (t tables, err error) {
	if t.lbs, err = store.NewTable[model.LoadBalancer](db, "balancer-loadbalancers"); err != nil {
		return t, err
	}
	if t.listeners, err = store.NewTable[model.Listener](db, "balancer-listeners"); err != nil {
		return t, err
	}
	if t.rules, err = store.NewTable[model.Rule](db, "balancer-rules"); err != nil {
		return t, err
	}
	if t.groups, err = store.NewTable[model.TargetGroup](db, "balancer-targetgroups"); err != nil {
		return t, err
	}
	if t.targets, err = store.NewTable[targetRecord](db, "balancer-targets"); err != nil {
		return t, err
	}
	if t.keys, err = store.NewTable[cookieKey](db, "balancer-keys"); err != nil {
		return t, err
	}
	t.tickets, err = store.NewTable[sealedTickets](db, "balancer-tickets")
	return t, err
}

func targetKey(tgARN string, t model.Target) string { return tgARN + " " + address(t) }

// address is where a target listens, as net.Dial takes it.
func address(t model.Target) string { return net.JoinHostPort(t.IP, strconv.Itoa(t.Port)) }

// keyLocks are mutexes by key; keys that share one only wait a little longer.
type keyLocks struct {
	seed  maphash.Seed
	locks *[64]sync.Mutex
}

func newKeyLocks() keyLocks { return keyLocks{maphash.MakeSeed(), new([64]sync.Mutex)} }

func (k keyLocks) lock(key string) (unlock func()) {
	m := &k.locks[maphash.String(k.seed, key)%uint64(len(k.locks))]
	m.Lock()
	return m.Unlock
}
