package network

import (
	"testing"

	"github.com/google/nftables"
)

// TestFilterOfDocker: another program's filter that drops what is forwarded is
// seen, and one that does not is none.
func TestFilterOfDocker(t *testing.T) {
	open(t, Config{ID: "cc0001"})
	want(t, "with our own filter alone", DroppedBy(), "")
	for _, row := range []struct {
		policy nftables.ChainPolicy
		want   string
	}{{nftables.ChainPolicyAccept, ""}, {nftables.ChainPolicyDrop, "filter FORWARD"}} {
		table := &nftables.Table{Name: "filter", Family: nftables.TableFamilyIPv4}
		check(t, transact("filter as Docker does", func(c *nftables.Conn) error {
			c.AddTable(table)
			c.AddChain(&nftables.Chain{
				Name: "FORWARD", Table: table, Type: nftables.ChainTypeFilter, Policy: &row.policy,
				Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
			})
			return nil
		}))
		want(t, "with Docker's", DroppedBy(), row.want)
	}
	check(t, transact("remove it", func(c *nftables.Conn) error {
		c.DelTable(&nftables.Table{Name: "filter", Family: nftables.TableFamilyIPv4})
		return nil
	}))
}
