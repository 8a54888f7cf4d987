package scenario_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestAccessLogsReachTheirBucket: what a load balancer answered is in its bucket
// when the server has stopped; a bucket that is not there is refused.
func TestAccessLogsReachTheirBucket(t *testing.T) {
	data, listen := t.TempDir(), fmt.Sprint("127.0.0.1:", freePort(t))
	s := serve(t, data, "--listen", listen)
	c, ctx := newClient(s), t.Context()
	files := s3.New(s3.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")})
	_, address := c.balance("web") // without targets
	lb := must[*elb.DescribeLoadBalancersOutput](t)(c.elb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})).LoadBalancers[0].LoadBalancerArn
	logTo := func(bucket string) error {
		_, err := c.elb.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: lb, Attributes: []elbtypes.LoadBalancerAttribute{
			{Key: aws.String("access_logs.s3.enabled"), Value: aws.String("true")}, {Key: aws.String("access_logs.s3.bucket"), Value: &bucket},
		}})
		return err
	}
	refused(t, logTo("none"), "InvalidConfigurationRequest")
	must[*s3.CreateBucketOutput](t)(files.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("shop-logs")}))
	if err := logTo("shop-logs"); err != nil {
		t.Fatal(err)
	}
	resp := must[*http.Response](t)(http.Get("http://" + address + "/lost"))
	resp.Body.Close()
	s.stop(syscall.SIGTERM)
	serve(t, data, "--listen", listen)
	logs := must[*s3.ListObjectsV2Output](t)(files.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: aws.String("shop-logs"), Prefix: aws.String("AWSLogs/000000000000/elasticloadbalancing/us-east-1/"),
	})).Contents
	if len(logs) != 1 {
		t.Fatalf("there are %d logs", len(logs))
	}
	log := must[*s3.GetObjectOutput](t)(files.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("shop-logs"), Key: logs[0].Key}))
	defer log.Body.Close()
	text := must[[]byte](t)(io.ReadAll(must[*gzip.Reader](t)(gzip.NewReader(log.Body))))
	if !strings.Contains(string(text), ` 503 - `) || !strings.Contains(string(text), `"GET http://`+address+`/lost HTTP/1.1"`) {
		t.Errorf("the log is %s", text)
	}
}
