package vpc

import (
	"context"
	"fmt"
	"slices"

	"neargate/internal/model"
)

// AllocateAddress makes an elastic address: one of the networks that are set
// aside for documentation, so that it is nobody's. Errors: AddressLimitExceeded.
func (n *Networks) AllocateAddress(ctx context.Context, tags []model.Tag) (a Address, err error) {
	a.ID = newID("eipalloc")
	err = n.update(ctx, func(c *change) error {
		have := c.addresses.List("")
		for i := range 2 * 254 {
			a.IP = fmt.Sprintf("%s.%d", []string{"203.0.113", "198.51.100"}[i/254], i%254+1)
			if !slices.ContainsFunc(have, func(o Address) bool { return o.IP == a.IP }) {
				c.addresses.Put(a.ID, a)
				c.tag(a.ID, tags)
				return nil
			}
		}
		return model.Errorf(model.Throttled, "AddressLimitExceeded", "The maximum number of addresses has been reached.")
	})
	return a, err
}

// ReleaseAddress gives an elastic address back. Errors:
// InvalidAllocationID.NotFound, InvalidIPAddress.InUse.
func (n *Networks) ReleaseAddress(ctx context.Context, id string) error {
	return n.update(ctx, func(c *change) error {
		a, err := find(c.addresses, KindAddress, id)
		if err != nil {
			return err
		}
		if a.AssociationID != "" {
			return conflict("InvalidIPAddress.InUse", "Address %s is in use.", a.IP)
		}
		c.addresses.Delete(id)
		c.tag(id, nil)
		return nil
	})
}
