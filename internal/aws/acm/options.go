package acm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/certificates"
	"neargate/internal/model"
)

// updateCertificateOptions: codes ValidationException, InvalidArnException,
// ResourceNotFoundException, InvalidStateException.
func (s *service) updateCertificateOptions(ctx context.Context, in *sdk.UpdateCertificateOptionsInput) (*sdk.UpdateCertificateOptionsOutput, error) {
	arn, err := readARN("certificateArn", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	var c wire.Checks
	c.Required("options", in.Options != nil)
	transparency, _ := readOptions(&c, in.Options)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	return &sdk.UpdateCertificateOptionsOutput{}, s.certificates.Change(ctx, arn, func(r *certificates.Certificate) error {
		switch {
		case r.Type == certificates.Imported:
			return model.Errorf(model.Conflict, "InvalidStateException", "Certificate %s was imported: its options cannot be changed.", arn)
		case in.Options.Export != "" && string(in.Options.Export) != r.Request.Export:
			return invalid("The value of Export cannot be changed after the certificate was requested.")
		}
		if in.Options.CertificateTransparencyLoggingPreference != "" { //nolint:staticcheck // clients still send it
			r.Request.Transparency = transparency
		}
		return nil
	})
}

// getAccountConfiguration has no codes.
func (s *service) getAccountConfiguration(context.Context, *sdk.GetAccountConfigurationInput) (*sdk.GetAccountConfigurationOutput, error) {
	return &sdk.GetAccountConfigurationOutput{ExpiryEvents: &types.ExpiryEventsConfiguration{
		DaysBeforeExpiry: aws.Int32(s.certificates.Account().DaysBeforeExpiry),
	}}, nil
}

// putAccountConfiguration: codes ValidationException.
func (s *service) putAccountConfiguration(ctx context.Context, in *sdk.PutAccountConfigurationInput) (*sdk.PutAccountConfigurationOutput, error) {
	var c wire.Checks
	c.Text("idempotencyToken", in.IdempotencyToken, 1, 32)
	account := s.certificates.Account()
	if in.ExpiryEvents != nil {
		account.DaysBeforeExpiry = c.Range("expiryEvents.daysBeforeExpiry", in.ExpiryEvents.DaysBeforeExpiry, 1, 365, account.DaysBeforeExpiry)
	}
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	return &sdk.PutAccountConfigurationOutput{}, s.certificates.PutAccount(ctx, account)
}
