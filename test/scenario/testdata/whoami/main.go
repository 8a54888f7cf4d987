// Command whoami is an AWS client without a configuration, as people run it on
// Fargate: it prints what the default chain of the SDK finds, and then answers
// the paths of its own metadata endpoint.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// found is what it prints, and answers at /.
type found struct {
	ARN, Source string   // of the identity
	Clusters    []string // as ECS lists them
	Secret      string   // of "db/password"
	Errors      []string
	Env         []string
}

func main() {
	b, _ := json.Marshal(look(context.Background()))
	fmt.Println(string(b))
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		b, _ := json.Marshal(look(context.Background()))
		_, _ = w.Write(b)
	})
	http.HandleFunc("/fetch/", func(w http.ResponseWriter, r *http.Request) { // what a URL answers here
		ask, err := http.NewRequest(r.Method, "http://"+strings.TrimPrefix(r.URL.Path, "/fetch/"), r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ask.ContentLength = r.ContentLength
		resp, err := http.DefaultClient.Do(ask)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})
	http.HandleFunc("/flood/", flood)
	go func() { fmt.Println(http.ListenAndServe(":8080", nil)) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
}

// flood opens connections to its metadata endpoint, says half a request on each
// and keeps them all, until the program ends.
func flood(w http.ResponseWriter, _ *http.Request) {
	opened := 0
	for range 2000 {
		conn, err := net.Dial("tcp", "169.254.170.2:80")
		if err != nil {
			break
		}
		_, _ = conn.Write([]byte("GET /v4/"))
		kept = append(kept, conn)
		opened++
	}
	fmt.Fprint(w, opened)
}

// kept are the connections of flood.
var kept []net.Conn

func look(ctx context.Context) (f found) {
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "AWS_") || strings.HasPrefix(kv, "ECS_") {
			f.Env = append(f.Env, kv)
		}
	}
	slices.Sort(f.Env)
	failed := func(err error) bool {
		if err != nil {
			f.Errors = append(f.Errors, err.Error())
		}
		return err != nil
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if failed(err) {
		return f
	}
	cfg.RetryMaxAttempts = 1
	if c, err := cfg.Credentials.Retrieve(ctx); !failed(err) {
		f.Source = c.Source
	}
	if out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil); !failed(err) {
		f.ARN = *out.Arn
	}
	if out, err := ecs.NewFromConfig(cfg).ListClusters(ctx, nil); !failed(err) {
		f.Clusters = out.ClusterArns
	}
	if os.Getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER") != "" {
		id := "db/password"
		if out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id}); !failed(err) {
			f.Secret = *out.SecretString
		}
	}
	return f
}
