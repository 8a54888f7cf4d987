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
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Network is the default network of an account.
type Network struct {
	VPC            string
	Subnets        []string
	SecurityGroups []string
}

// FindNetwork asks EC2 for the default network. The SDK's EC2 module is larger
// than all the others together, so the two calls are signed and sent here.
func FindNetwork(ctx context.Context, srv Server) (Network, error) {
	var n Network
	var subnets struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	if err := srv.ec2(ctx, "DescribeSubnets", &subnets); err != nil {
		return n, err
	}
	for _, s := range subnets.Subnets {
		n.VPC = s.VPC
		n.Subnets = append(n.Subnets, s.ID)
	}
	var groups struct {
		Groups []struct {
			ID string `xml:"groupId"`
		} `xml:"securityGroupInfo>item"`
	}
	if err := srv.ec2(ctx, "DescribeSecurityGroups", &groups); err != nil {
		return n, err
	}
	for _, g := range groups.Groups {
		n.SecurityGroups = append(n.SecurityGroups, g.ID)
	}
	if len(n.Subnets) < 2 || len(n.SecurityGroups) == 0 {
		return n, fmt.Errorf("the account has %d subnets and %d security groups; 2 and 1 are needed", len(n.Subnets), len(n.SecurityGroups))
	}
	return n, nil
}

func (d *run) findNetwork(ctx context.Context) (said string, err error) {
	d.network, err = FindNetwork(ctx, d.srv)
	return fmt.Sprintf("%s with %d subnets", d.network.VPC, len(d.network.Subnets)), err
}

func (srv Server) ec2(ctx context.Context, action string, answer any) error {
	body := "Action=" + action + "&Version=2016-11-15"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	hash := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: srv.AccessKey, SecretAccessKey: srv.SecretKey}
	if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(hash[:]), "ec2", srv.Region, time.Now()); err != nil {
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
