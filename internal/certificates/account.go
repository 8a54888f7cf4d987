package certificates

import "context"

// Account is how an account's certificates are looked after.
type Account struct {
	DaysBeforeExpiry int32 // events of an expiry begin so long before it
}

const (
	accountKey = "account"
	// defaultDays is AWS's (API_ExpiryEventsConfiguration).
	defaultDays = 45
)

// Account returns the account's settings.
func (c *Certificates) Account() Account {
	if a, ok := c.account.Get(accountKey); ok {
		return a
	}
	return Account{DaysBeforeExpiry: defaultDays}
}

// PutAccount keeps the account's settings.
func (c *Certificates) PutAccount(ctx context.Context, a Account) error {
	return c.account.Put(ctx, accountKey, a)
}
