package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// vpc is the default network of the account.
type vpc struct {
	id             string
	subnets        []string
	securityGroups []string
}

// findVPC asks EC2 for the default network. The SDK's EC2 module is larger
// than all the others together, so the two calls are signed and sent here.
func (d *run) findVPC(ctx context.Context) (string, error) {
	var subnets struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	if err := d.ec2(ctx, "DescribeSubnets", &subnets); err != nil {
		return "", err
	}
	for _, s := range subnets.Subnets {
		d.network.id = s.VPC
		d.network.subnets = append(d.network.subnets, s.ID)
	}
	var groups struct {
		Groups []struct {
			ID string `xml:"groupId"`
		} `xml:"securityGroupInfo>item"`
	}
	if err := d.ec2(ctx, "DescribeSecurityGroups", &groups); err != nil {
		return "", err
	}
	for _, g := range groups.Groups {
		d.network.securityGroups = append(d.network.securityGroups, g.ID)
	}
	if len(d.network.subnets) < 2 || len(d.network.securityGroups) == 0 {
		return "", fmt.Errorf("the account has %d subnets and %d security groups; 2 and 1 are needed", len(d.network.subnets), len(d.network.securityGroups))
	}
	return fmt.Sprintf("%s with %d subnets", d.network.id, len(d.network.subnets)), nil
}

func (d *run) ec2(ctx context.Context, action string, answer any) error {
	body := "Action=" + action + "&Version=2016-11-15"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.srv.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	hash := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: d.srv.AccessKey, SecretAccessKey: d.srv.SecretKey}
	if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(hash[:]), "ec2", d.srv.Region, time.Now()); err != nil {
		return fmt.Errorf("sign %s: %w", action, err)
	}
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read the answer to %s: %w", action, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %.200s", action, resp.Status, data)
	}
	return xml.Unmarshal(data, answer)
}
