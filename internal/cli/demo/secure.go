package demo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/console"
)

// secure has a listener speak HTTPS, with a certificate for the load balancer's
// name.
func (d *run) secure(ctx context.Context, in *elb.CreateListenerInput) error {
	out, err := d.aws.acm.RequestCertificate(ctx, &acm.RequestCertificateInput{
		DomainName: aws.String(d.dnsName), ValidationMethod: acmtypes.ValidationMethodDns, KeyAlgorithm: acmtypes.KeyAlgorithmEcPrime256v1,
	})
	if err != nil {
		return err
	}
	d.certificate = aws.ToString(out.CertificateArn)
	in.Protocol = elbtypes.ProtocolEnumHttps
	in.SslPolicy = aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06")
	in.Certificates = []elbtypes.Certificate{{CertificateArn: out.CertificateArn}}
	return nil
}

// rootFile is the name of the file with the root, beside the report.
const rootFile = "ca.pem"

// fetchRoot asks for the root that the certificate is signed by, and keeps it in a
// file for those who want to ask the service themselves.
func (d *run) fetchRoot(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.srv.Endpoint+console.AuthorityPath, http.NoBody)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	root, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	d.roots = x509.NewCertPool()
	if !d.roots.AppendCertsFromPEM(root) {
		return "", errors.New("the server has no root to trust")
	}
	file, err := filepath.Abs(filepath.Join(d.cfg.Out, rootFile))
	if err == nil {
		err = os.MkdirAll(d.cfg.Out, 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, root, 0o644)
	}
	return fmt.Sprintf("curl --cacert %s %s", file, d.url(path)), err
}

// deleteCertificate deletes the certificate, if one was requested.
func (d *run) deleteCertificate(ctx context.Context) error {
	if d.certificate == "" {
		return nil
	}
	_, err := d.aws.acm.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: aws.String(d.certificate)})
	return err
}
