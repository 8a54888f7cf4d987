package certificates

import (
	"context"

	"neargate/internal/model"
)

// Change changes a kept certificate by change, whose error leaves it as it was.
// Codes: ResourceNotFoundException, ValidationException for one in a file.
func (c *Certificates) Change(ctx context.Context, arn string, change func(*Certificate) error) error {
	if c.ofFile(arn) {
		return errFile(arn)
	}
	_, err := c.table.Update(ctx, arn, func(cur Certificate, exists bool) (Certificate, error) {
		if !exists {
			return cur, NotFound(arn)
		}
		err := change(&cur)
		return cur, err
	})
	return err
}

func errFile(arn string) error {
	return model.Errorf(model.Invalid, "ValidationException", "Certificate %s is read from a file; replace the file instead.", arn)
}
