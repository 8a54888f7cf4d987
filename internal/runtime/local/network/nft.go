package network

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	netfilter "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// socketBuffer is enough for the messages of one transaction and the kernel's
// answers to them: a thousand rules are about 1 MB.
const socketBuffer = 16 << 20

// transact makes changes that the kernel takes as a whole or not at all.
func transact(doing string, changes func(*nftables.Conn) error) error {
	c, err := nftables.New(nftables.WithSockOptions(func(s *netfilter.Conn) error {
		return errors.Join(s.SetReadBuffer(socketBuffer), s.SetWriteBuffer(socketBuffer))
	}))
	if err == nil {
		err = changes(c)
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// ErrNoFilter means that the kernel has no nf_tables.
var ErrNoFilter = errors.New("the kernel has no nf_tables")

// probeTables reports whether the kernel can filter at all.
func probeTables() error {
	c, err := nftables.New()
	if err == nil {
		_, err = c.ListTablesOfFamily(nftables.TableFamilyINet)
	}
	if lacking(err) {
		return ErrNoFilter
	}
	if err != nil {
		return fmt.Errorf("list packet filters: %w", err)
	}
	return nil
}

func lacking(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) ||
		errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EAFNOSUPPORT)
}

// removeTable removes a table. It is content when there is none.
func removeTable(name string) error {
	err := transact("remove packet filter "+name, func(c *nftables.Conn) error {
		c.DelTable(&nftables.Table{Name: name, Family: nftables.TableFamilyINet})
		return nil
	})
	if err == nil || errors.Is(err, unix.ENOENT) || lacking(err) {
		return nil
	}
	return err
}
